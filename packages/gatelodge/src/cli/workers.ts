import cluster from 'node:cluster'
import { extname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Config, Listen } from '../config.ts'
import type { RunningServer } from '../http/server.ts'
import { second, systemMonotonic } from '../kernel/clock.ts'
import { AuthError } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import type { LoadedConfig } from './command.ts'
import { serveMetrics, withRealPort } from './serving.ts'
import { startWorker, type WorkerProcess } from './worker-process.ts'

/** A worker that exits within this time after its start counts as unable to run, in ms. */
const trialPeriod = 10 * second
/** This many such exits in a row in the same slot stop the server, so that whatever started it notices. */
const mostShortLives = 5
/** Pause before a worker is replaced, in ms; doubles with each one that is unable to run. */
const firstPause = second / 10
/** Workers that still run after this time on shutdown are killed, in ms. Requests get 10 s, and so do mails. */
const killAfter = 30 * second

/** Not `bin/gatelodge.js`, which would run a newer build if the source has changed since the primary started. */
const workerFile = fileURLToPath(new URL(`./worker${extname(import.meta.url)}`, import.meta.url))

interface Supervision {
  readonly loaded: LoadedConfig
  readonly log: Log
  readonly stopped: Promise<void>
  /** Called once, when all workers serve requests. */
  readonly onStarted: (server: { config: Config; address: Listen; metrics: Listen | null }) => void
  readonly onStopping: () => void
  /** Called with each line that a worker writes to its standard error, which contains its log. */
  readonly onWorkerLine: (line: string) => void
}

/**
 * Runs the configured number of processes on one port, replaces those that die, and resolves after `stopped`, when all have exited. The primary serves no
 * requests itself: see decision 17.
 * @throws the reason why a worker could not start at first; service_unavailable if one cannot be replaced
 */
export async function superviseWorkers({ loaded, log, stopped, ...told }: Supervision): Promise<void> {
  cluster.schedulingPolicy = cluster.SCHED_RR
  cluster.setupPrimary({
    exec: workerFile,
    args: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'], // a child that shares our output would make it blocking, see lossy-output.ts
  })
  const running = new Set<WorkerProcess>()
  const lost = Promise.withResolvers<never>()
  lost.promise.catch(() => {})
  const figures = loaded.config.metricsListen ? await sumFigures(running) : undefined
  let endpoint: RunningServer | undefined
  let stopping = false
  void stopped.then(() => {
    stopping = true
    for (const worker of running) worker.stop()
  })

  function start(): WorkerProcess {
    const worker = startWorker(loaded, told.onWorkerLine)
    running.add(worker)
    if (stopping) worker.stop()
    return worker
  }

  /** Starts a worker in a new slot, which from then on always has one. */
  async function begin(port?: number): Promise<Listen> {
    const worker = start()
    const address = await worker.ready
    assertSamePort(address, port ?? address.port)
    void keep(worker, address.port).catch(lost.reject)
    return address
  }

  async function keep(first: WorkerProcess, port: number): Promise<void> {
    let worker = first
    let startedAt = systemMonotonic()
    for (let shortLives = 0; ; ) {
      const reason = await worker.ended
      running.delete(worker)
      await figures?.left(worker)
      if (stopping) return

      shortLives = systemMonotonic() - startedAt < trialPeriod ? shortLives + 1 : 0
      log.error({ worker: worker.pid, reason }, 'a worker exited')
      if (shortLives === mostShortLives) throw cannotRun(reason)
      await Promise.race([pause(firstPause * 2 ** shortLives), stopped])
      if (stopping) return

      worker = start()
      startedAt = systemMonotonic()
      await worker.ready.then(
        (address) => assertSamePort(address, port),
        () => {},
      )
    }
  }

  try {
    const address = await begin() // the first one alone, so that the database is migrated once and an error is reported once
    const others = Array.from({ length: stopping ? 0 : loaded.config.workers - 1 }, () => begin(address.port))
    await Promise.all(others)
    endpoint = await serveMetrics(loaded.config, async () => figures?.text() ?? '', log)
    told.onStarted({ config: withRealPort(loaded, address), address, metrics: endpoint?.address ?? null })

    await Promise.race([stopped, lost.promise])
    told.onStopping()
  } finally {
    stopping = true
    await endAll(running)
    await endpoint?.stop(0)
  }
}

/** With port 0 all workers share the chosen port, as long as one of them holds it. */
function assertSamePort(address: Listen, port: number): void {
  if (address.port === port) return
  throw new AuthError('service_unavailable', {
    detail: 'All workers exited, so the port that the system had chosen was lost',
  })
}

/** Lets the workers finish what is in flight, and kills those that take too long. */
async function endAll(running: ReadonlySet<WorkerProcess>): Promise<void> {
  const gone = Promise.all([...running].map(({ ended }) => ended))
  for (const worker of running) worker.stop()
  await Promise.race([gone, pause(killAfter, undefined, { ref: false })])
  for (const worker of running) worker.kill()
  await gone
}

function cannotRun(reason: string): AuthError {
  const detail = `Workers exited ${mostShortLives} times in a row within ${trialPeriod / second} s of starting. Last reason: ${reason}`
  return new AuthError('service_unavailable', { detail })
}

/** Returns the metrics of all workers as one text, including those of workers that have exited. */
async function sumFigures(running: ReadonlySet<WorkerProcess>) {
  const { createMetricsSum } = await import('../http/metrics-sum.ts')
  const sum = createMetricsSum()

  return {
    left: ({ pid }: WorkerProcess) => sum.left(pid),
    async text() {
      const ask = async (worker: WorkerProcess) => {
        const figures = await worker.figures()
        if (figures && running.has(worker)) sum.add(worker.pid, figures)
      }
      await Promise.all([...running].map(ask))
      return sum.text()
    },
  }
}
