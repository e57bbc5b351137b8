import { resolve } from 'node:path'
import { type Config, readConfig } from '../config.ts'
import type { Deps } from '../domain/deps.ts'
import { type Actor, systemActor } from '../kernel/actor.ts'
import { systemClock } from '../kernel/clock.ts'
import { AuthError } from '../kernel/errors.ts'
import { uuidv7 } from '../kernel/ids.ts'
import { systemRandom } from '../kernel/random.ts'
import { createLog } from '../output/log.ts'
import { loadSecret } from '../secret.ts'
import type { Store } from '../store/store.ts'
import type { CommandContext, LoadedConfig } from './command.ts'

/** The part of a command's context from which settings are loaded. */
type Sources = Pick<CommandContext, 'io' | 'flags' | 'configFile'>

/** The part of a command's context that is necessary to use the database, which may take a while. */
export type Reach = Sources & Pick<CommandContext, 'status'>

/** Reads the settings of a command. Paths are relative to the working directory. @throws config_invalid with all errors together */
export function loadConfig({ io, flags, configFile }: Sources): LoadedConfig {
  const readFile = (path: string) => io.readFile(resolve(io.cwd, path))
  const file = configFile === undefined ? undefined : { path: configFile, text: readConfigFile(readFile, configFile) }
  const loaded = readConfig({ env: io.env, flags, file, readFile })
  return { ...loaded, config: fromFolder(io.cwd, loaded.config) }
}

/** Runs `work` with the whole program, next to a server that may be running. The server sees the changes on its next request. */
export async function withDeps<T>(context: Reach, work: (deps: Deps, actor: Actor) => Promise<T>): Promise<T> {
  context.status.start()
  const { config } = loadConfig(context)
  const secret = loadSecret(config, systemRandom)
  const log = await createLog(context.io.stderr, config.logLevel === 'info' ? 'warn' : config.logLevel)
  const { compose } = await import('../compose.ts')

  const composition = await compose({ config, secret, log, isCommand: true })
  try {
    return await work(composition.deps, commandActor())
  } finally {
    await composition.close()
  }
}

/** Runs `work` on the database in its current state, migrated or not. */
export async function withStore<T>(context: Reach, work: (store: Store, config: Config) => Promise<T>): Promise<T> {
  context.status.start()
  const { config } = loadConfig(context)
  const { openStore } = await import('../compose.ts')

  const store = await openStore(config)
  try {
    return await work(store, config)
  } finally {
    await store.close()
  }
}

function readConfigFile(readFile: (path: string) => string, path: string): string {
  try {
    return readFile(path)
  } catch (cause) {
    const faults = [{ field: '--config', code: 'unreadable', message: `names a file that cannot be read: ${path}` }]
    throw new AuthError('config_invalid', { faults, cause })
  }
}

function fromFolder(cwd: string, config: Config): Config {
  const { database, dataDir, logo, themeCss } = config
  const isPath = database.kind === 'sqlite' && database.path !== ':memory:'
  return {
    ...config,
    dataDir: resolve(cwd, dataDir),
    logo: logo === null ? null : resolve(cwd, logo),
    themeCss: themeCss === null ? null : resolve(cwd, themeCss),
    database: isPath ? { kind: 'sqlite', path: resolve(cwd, database.path) } : database,
  }
}

function commandActor(): Actor {
  return systemActor('command', uuidv7(systemClock, systemRandom))
}
