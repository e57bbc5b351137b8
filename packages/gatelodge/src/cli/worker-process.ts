import cluster from 'node:cluster'
import { createInterface } from 'node:readline'
import type { Listen } from '../config.ts'
import type { MetricFigures } from '../http/metrics.ts'
import { second } from '../kernel/clock.ts'
import { AuthError } from '../kernel/errors.ts'
import type { LoadedConfig } from './command.ts'
import type { FailedStart, FromWorker, ToWorker } from './worker-messages.ts'

/** How long a worker may take to report its figures, in ms. */
const figuresTimeout = 3 * second

/** A worker, as seen by the primary. */
export interface WorkerProcess {
  readonly pid: number
  /** Resolves with its address once it serves requests. @throws the reason why it could not start */
  readonly ready: Promise<Listen>
  /** Resolves with the reason why it exited. Never rejects. */
  readonly ended: Promise<string>
  stop(): void
  kill(): void
  /** Returns the worker's metrics, or undefined if it does not respond in time. */
  figures(): Promise<MetricFigures | undefined>
}

/** Starts a worker as configured by `cluster.setupPrimary`. `onLine` receives each line of its standard error. */
export function startWorker(loaded: LoadedConfig, onLine: (line: string) => void): WorkerProcess {
  const worker = cluster.fork()
  const { stderr } = worker.process
  if (stderr) createInterface({ input: stderr }).on('line', onLine)
  const ready = Promise.withResolvers<Listen>()
  const ended = Promise.withResolvers<string>()
  const questions = new Map<number, (figures: MetricFigures | undefined) => void>()
  let asked = 0
  let failed: FailedStart | undefined
  ready.promise.catch(() => {})

  worker.on('message', (message: FromWorker) => {
    if (message.kind === 'ready') setImmediate(() => ready.resolve(message.address)) // lines that it logged before come first
    if (message.kind === 'failed') failed = message.reason
    if (message.kind === 'metrics') questions.get(message.question)?.(message.figures)
  })
  // Not 'exit', which fires before its last lines have arrived.
  worker.process.once('close', (status, signal) => end(signal ? `killed by ${signal}` : `exit status ${status}`))
  worker.on('error', (error) => end(error.message))
  tell({ kind: 'serve', loaded })

  function end(how: string): void {
    const error = failed ? toError(failed) : new AuthError('service_unavailable', { detail: `A worker exited: ${how}` })
    ready.reject(error)
    ended.resolve(failed?.detail ?? how)
    for (const answer of questions.values()) answer(undefined)
  }

  function tell(message: ToWorker): void {
    if (worker.isConnected()) worker.send(message, () => {}) // a worker that exits meanwhile no longer receives messages
  }

  return {
    pid: worker.process.pid ?? 0,
    ready: ready.promise,
    ended: ended.promise,
    stop: () => tell({ kind: 'stop' }),
    kill: () => void worker.process.kill('SIGKILL'),
    async figures() {
      const question = ++asked
      const { promise, resolve } = Promise.withResolvers<MetricFigures | undefined>()
      questions.set(question, resolve)
      const timer = setTimeout(resolve, figuresTimeout, undefined)
      tell({ kind: 'metrics', question })
      const figures = await promise
      clearTimeout(timer)
      questions.delete(question)
      return figures
    },
  }
}

function toError({ code, detail, faults }: FailedStart): Error {
  return code === null ? new Error(detail) : new AuthError(code, { detail, faults })
}
