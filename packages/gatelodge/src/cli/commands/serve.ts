import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Config, Listen } from '../../config.ts'
import { settings } from '../../config.ts'
import type { Fetch } from '../../http/app.ts'
import { second } from '../../kernel/clock.ts'
import { AuthError } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import { systemRandom } from '../../kernel/random.ts'
import { loadSecret } from '../../secret.ts'
import { banner } from '../banner.ts'
import { type CommandContext, command, type LoadedConfig, type Result } from '../command.ts'
import { loadConfig } from '../deps.ts'
import { createLog } from '../log.ts'

type Context = Pick<CommandContext, 'io' | 'json'>

/** How long requests in flight may take at the end, in ms. */
const patience = 10 * second

export const serveCommands = [
  command({
    name: 'serve',
    summary: 'Run the server: API, pages and mail delivery. The database is migrated first.',
    operands: [],
    options: {},
    async run(context) {
      const loaded = loadConfig(context)
      const log = await createLog(context.io.stderr, loaded.config.logLevel)
      for (const warning of loaded.warnings) log.warn({}, warning)

      context.io.onCrash((err) => {
        log.error({ err }, 'an error that nobody caught; the server ends')
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
  const { compose } = await import('../../compose.ts')
  const { startServer } = await import('../../http/server.ts')

  // The port is taken before anything else is done: port 0 gets its number, which the public URL needs, and nobody can take it meanwhile.
  const composed = Promise.withResolvers<Fetch>()
  composed.promise.catch(() => {})
  let answer: Fetch = async (request, env) => (await composed.promise)(request, env)
  const server = await startServer((request, env) => answer(request, env), loaded.config.listen).catch(
    (cause: unknown) => {
      throw notListening(loaded.config.listen, cause)
    },
  )

  try {
    const config = withRealPort(loaded, server.address)
    const secret = loadSecret(config, systemRandom)
    const announceMail = (text: string) => say(context, { json: { event: 'mail', text }, text })
    const composition = await compose({ config, secret, log, announceMail })
    answer = composition.fetch
    composed.resolve(composition.fetch)
    composition.startJobs()
    say(context, banner(config, server.address, loaded.warnings))
    log.info({ listen: server.address }, 'serving')

    await stopped
    say(context, { json: { event: 'stopping' }, text: 'Stopping: requests in flight are finished first.' })
    await server.stop(patience)
    await composition.close()
  } catch (error) {
    composed.reject(error)
    await server.stop(0)
    throw error
  }
  say(context, { json: { event: 'stopped' }, text: 'Stopped.' })
}

/** Resolves at the first request to stop; a second one ends the process at once. */
function stopSignal({ io }: Context, log: Log): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let askedAt: number | undefined
  io.onSignal(() => {
    askedAt ??= io.now()
    resolve()
    // At Ctrl-C the terminal signals us, and npm passes its own signal on: that is one wish, not two.
    if (io.now() - askedAt < second / 2) return
    log.warn({}, 'ended at once by a second signal')
    io.exit(1)
  })
  return promise
}

async function lockDatabase({ database }: Config): Promise<{ release(): void }> {
  if (database.kind === 'postgres') return { release() {} }

  const { lockSqliteForServer } = await import('../../store/sqlite.ts')
  if (database.path !== ':memory:') mkdirSync(dirname(database.path), { recursive: true, mode: 0o700 })
  return lockSqliteForServer(database.path)
}

/** With port 0 the default public URL names the port that the system chose. */
function withRealPort({ config, effective }: LoadedConfig, { port }: Listen): Config {
  const isDefault = effective.some(({ key, source }) => key === 'publicUrl' && source === 'default')
  return isDefault && config.listen.port === 0 ? { ...config, publicUrl: `http://localhost:${port}` } : config
}

function notListening({ host, port }: Listen, cause: unknown): unknown {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'Another program listens there already: stop it',
    EADDRNOTAVAIL: 'This machine has no such address: correct it',
    EACCES: 'The port needs more rights than this process has: take one above 1023',
    ENOTFOUND: 'The host has no address: correct it',
    EAI_AGAIN: 'The host has no address at the moment: correct it',
  }
  const reason = typeof code === 'string' ? reasons[code] : undefined
  if (reason === undefined) return cause

  const detail = `Cannot listen on ${host}:${port}. ${reason}, or set ${settings.listen.env} to another address.`
  return new AuthError('service_unavailable', { detail, cause })
}

function say({ io, json }: Context, said: Result): void {
  io.stdout.write(json ? `${JSON.stringify(said.json)}\n` : `${said.text}\n`)
}
