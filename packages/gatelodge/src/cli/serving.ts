import type { Composition } from '../compose.ts'
import { type Config, type Listen, settings } from '../config.ts'
import type { Fetch } from '../http/app.ts'
import type { RunningServer } from '../http/server.ts'
import { second } from '../kernel/clock.ts'
import { AuthError } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { systemRandom } from '../kernel/random.ts'
import { loadSecret } from '../secret.ts'
import type { LoadedConfig } from './command.ts'
import { keepHeapAsItIs } from './heap.ts'

/** How long requests in flight may take on shutdown, in ms. */
const stopTimeout = 10 * second

export interface Serving {
  readonly loaded: LoadedConfig
  readonly log: Log
  /** Resolves when the server has to stop. */
  readonly stopped: Promise<void>
  readonly announceMail?: (text: string) => void
  /** Called once requests are served; `config` has the actual port. */
  readonly onStarted: (server: { config: Config; address: Listen; composition: Composition }) => Promise<void>
  readonly onStopping: () => void
}

/**
 * Serves on the configured address until `stopped` resolves, then finishes what is in flight.
 * @throws service_unavailable, config_invalid if it cannot start
 */
export async function serveUntilStopped(serving: Serving): Promise<void> {
  const { loaded, log, stopped, announceMail } = serving
  const { compose } = await import('../compose.ts')

  // The port is bound before anything else: port 0 gets its number, which the public URL needs, and no other program can take it meanwhile.
  const composed = Promise.withResolvers<Fetch>()
  composed.promise.catch(() => {})
  let answer: Fetch = async (request, env) => (await composed.promise)(request, env)
  const server = await listen((request, env) => answer(request, env), loaded.config.listen, settings.listen.env, log)

  try {
    const config = withRealPort(loaded, server.address)
    const secret = loadSecret(config, systemRandom)
    const composition = await compose({ config, secret, log, ...(announceMail && { announceMail }) })
    try {
      answer = composition.fetch
      composed.resolve(composition.fetch)
      composition.startJobs()
      log.info({ listen: server.address }, 'serving')
      await serving.onStarted({ config, address: server.address, composition })
      keepHeapAsItIs()

      await stopped
      composition.drain()
      serving.onStopping()
      await server.stop(stopTimeout)
    } finally {
      await composition.close()
    }
  } catch (error) {
    composed.reject(error)
    await server.stop(0)
    throw error
  }
}

/** Listens on the address from the setting called `setting`. @throws service_unavailable with the reason */
export async function listen(fetch: Fetch, address: Listen, setting: string, log: Log): Promise<RunningServer> {
  const { startServer } = await import('../http/server.ts')
  try {
    return await startServer(fetch, address, log)
  } catch (cause) {
    throw notListening(address, setting, cause)
  }
}

/** Serves the result of `read` to Prometheus, if metrics are enabled. @throws service_unavailable if the address is in use */
export async function serveMetrics(
  { metricsListen }: Config,
  read: () => Promise<string>,
  log: Log,
): Promise<RunningServer | undefined> {
  if (!metricsListen) return undefined

  const { metricsEndpoint } = await import('../http/metrics-endpoint.ts')
  return listen(metricsEndpoint(read), metricsListen, settings.metricsListen.env, log)
}

/** Returns the settings with the actual port: with port 0, the default public URL names the port that the system chose. */
export function withRealPort({ config, effective }: LoadedConfig, { port }: Listen): Config {
  const isDefault = effective.some(({ key, source }) => key === 'publicUrl' && source === 'default')
  return isDefault && config.listen.port === 0 ? { ...config, publicUrl: `http://localhost:${port}` } : config
}

function notListening({ host, port }: Listen, setting: string, cause: unknown): unknown {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'Another program is already listening there: stop it',
    EADDRNOTAVAIL: 'This machine has no such address: correct it',
    EACCES: 'This process is not allowed to use that port: use one above 1023',
    ENOTFOUND: 'The host name does not exist: correct it',
    EAI_AGAIN: 'The host name cannot be resolved at the moment: correct it',
  }
  const reason = typeof code === 'string' ? reasons[code] : undefined
  if (reason === undefined) return cause

  const detail = `Cannot listen on ${host}:${port}. ${reason}, or set ${setting} to another address.`
  return new AuthError('service_unavailable', { detail, cause })
}
