import type { Config } from '../../config.ts'
import { second } from '../../kernel/clock.ts'
import type { Log } from '../../kernel/log.ts'
import { createLog } from '../../output/log.ts'
import { banner } from '../banner.ts'
import { type CommandContext, command, type LoadedConfig, type Result } from '../command.ts'
import { loadConfig } from '../deps.ts'
import { serveMetrics, serveUntilStopped } from '../serving.ts'

type Context = Pick<CommandContext, 'io' | 'json'>

export const serveCommands = [
  command({
    name: 'serve',
    summary: 'Migrate the database, then run the server: API, pages and mail delivery.',
    operands: [],
    options: {},
    examples: ['gatelodge serve', 'gatelodge serve --listen 127.0.0.1:8080 --public-url https://auth.example.com'],
    async run(context) {
      const loaded = loadConfig(context)
      const log = await createLog(context.io.stderr, loaded.config.logLevel)
      context.io.outliveReaders?.((stream, lines) =>
        log.warn({ stream, lines }, 'output lines were dropped because they could not be written'),
      )
      for (const warning of loaded.warnings) log.warn({}, warning)

      context.io.onCrash((err) => {
        log.error({ err }, 'uncaught error; the server exits')
        context.io.exit(1)
      })
      const lock = await lockDatabase(loaded.config)
      try {
        await serve(context, loaded, log)
      } finally {
        lock.release()
      }
      return null
    },
  }),
]

async function serve(context: Context, loaded: LoadedConfig, log: Log): Promise<void> {
  const stopped = stopSignal(context, log)
  const onStopping = () =>
    say(context, { json: { event: 'stopping' }, text: 'Stopping: waiting for requests in flight to finish.' })
  const announceMail = (text: string) => say(context, { json: { event: 'mail', text }, text })

  if (loaded.config.workers > 1) {
    const { superviseWorkers } = await import('../workers.ts')
    await superviseWorkers({
      loaded,
      log,
      stopped,
      onStopping,
      onWorkerLine: (line) => context.io.stderr.write(`${line}\n`),
      onStarted: (started) => say(context, banner({ ...started, warnings: loaded.warnings })),
    })
  } else {
    await using closing = new AsyncDisposableStack()
    await serveUntilStopped({
      loaded,
      log,
      stopped,
      announceMail,
      onStopping,
      async onStarted({ config, address, composition: { metrics } }) {
        const endpoint = await serveMetrics(config, async () => metrics?.text() ?? '', log)
        closing.defer(async () => endpoint?.stop(0))
        say(context, banner({ config, address, metrics: endpoint?.address ?? null, warnings: loaded.warnings }))
      },
    })
  }
  say(context, { json: { event: 'stopped' }, text: 'Stopped.' })
}

/** Resolves on the first signal to stop. A second signal exits the process immediately. */
function stopSignal({ io }: Context, log: Log): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let askedAt: number | undefined
  io.onSignal(() => {
    askedAt ??= io.now()
    resolve()
    // On Ctrl-C the terminal sends a signal and npm forwards its own: these count as one.
    if (io.now() - askedAt < second / 2) return
    log.warn({}, 'exiting immediately: second signal')
    io.exit(1)
  })
  return promise
}

async function lockDatabase({ database }: Config): Promise<{ release(): void }> {
  if (database.kind === 'postgres') return { release() {} }

  const { lockSqliteForServer } = await import('../../store/sqlite.ts')
  return lockSqliteForServer(database.path)
}

function say({ io, json }: Context, said: Result): void {
  io.stdout.write(json ? `${JSON.stringify(said.json)}\n` : `${said.text}\n`)
}
