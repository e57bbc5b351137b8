import { type Composition, compose } from '../compose.ts'
import { type Config, readConfig, type SettingKey, settings } from '../config.ts'
import type { Accounts } from '../domain/accounts.ts'
import type { Fetch } from '../http/app.ts'
import type { Clock } from '../kernel/clock.ts'
import { AuthError, type FieldFault } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { systemRandom } from '../kernel/random.ts'
import { createLog } from '../output/log.ts'
import { lossyOutput } from '../output/lossy-output.ts'
import { loadSecret } from '../secret.ts'
import { lockSqliteForServer } from '../store/sqlite.ts'
import { type Api, bindApi } from './api.ts'
import { type Engine, setEngine } from './engine.ts'
import { externalAccounts } from './external-accounts.ts'
import { sqlUserRepository, type UserRepository } from './user-repository.ts'

/** The settings by the names of `Config`, with texts as in the environment: `{ database: 'sqlite::memory:', resetTtl: '30m' }`. */
export type AuthSettings = Readonly<Partial<Record<Exclude<SettingKey, 'secret'>, string>>>

export interface AuthOptions {
  readonly settings?: AuthSettings
  /** 32 characters or more; everything sealed is sealed under keys derived from it. Without it, the secret file in `dataDir` is used, or made. */
  readonly secret?: string
  /** JSON lines on standard error unless given. */
  readonly log?: Log
  readonly clock?: Clock
  /**
   * Where accounts and passwords live instead of our store, under these rules:
   * - The repository owns id, address, username, password, and whether the account is active; Gatelodge owns sessions, tokens, limits, names and
   *   profile, in a copy of the account with the same id. The copy is brought up to date whenever somebody registers or signs in and whenever a
   *   library function checks or refreshes a token; a deactivation in the repository ends the sessions at that moment. Session checks and refreshes
   *   over `fetch` read the copy, so call `getLoggedInUser` with the token where a deactivation must count at once.
   * - Sign-up, sign-in, change and reset of a password ask the repository, over HTTP as in the library. The new password is passed on after ours is
   *   stored: if the repository fails then, the caller gets `service_unavailable` and the old password stays.
   * - `registration` must be `instant`, `admin` or `closed`: a sign-up that waits for its mailed link cannot be kept in the repository.
   * - Not covered, `not_found`: the hosted pages, confirming or changing an address, `GET /username-available`, deleting the account. Reset mails reach accounts that
   *   registered or signed in here before; `createPasswordResetToken` knows all of them.
   */
  readonly users?: UserRepository
  /** Whether mails are delivered and expired rows removed from here; true unless given. False is for a program beside a server that does it. */
  readonly startJobs?: boolean
}

/** An authentication system to mount in another program. */
export interface Auth {
  /**
   * Answers every route of the HTTP API. Pass the client's address as `{ peer }`, or the `IncomingMessage` of node:http as `{ incoming }`: without it
   * all clients share one budget of the per-address limits.
   */
  fetch(request: Request, env?: Parameters<Fetch>[1]): Promise<Response>
  /** The operations as functions; the per-address limits of the routes are not theirs. */
  readonly api: Api
  /** Stops the jobs, lets hashes and mails under way finish, closes the database. */
  close(): Promise<void>
}

/**
 * Opens (and migrates) the database and wires everything. The library reads no environment variable. With jobs it is the one server of its SQLite file;
 * commands may run beside it. @throws config_invalid, service_unavailable
 */
export async function createAuth(options: AuthOptions = {}): Promise<Auth> {
  const { config, warnings } = readSettings(options)
  const log = options.log ?? (await standardLog(config))
  for (const warning of warnings) log.warn({}, warning)
  const secret = loadSecret(config, systemRandom)
  const runsJobs = options.startJobs !== false
  const lock = runsJobs ? lockDatabase(config) : unlocked

  const composition = await orRelease(lock, () => compose({ config, secret, log, ...givenIn(options) }))
  const engine = toEngine(composition, options.users)
  const auth: Auth = {
    fetch: async (request, env) => composition.fetch(request, env),
    api: bindApi(() => auth),
    async close() {
      await composition.close()
      lock.release()
    },
  }
  setEngine(auth, engine)
  if (runsJobs) composition.startJobs()
  return auth
}

async function standardLog({ logLevel }: Config): Promise<Log> {
  const log = await createLog(
    lossyOutput(2, (lines) => log.warn({ lines }, 'log lines were dropped because standard error did not accept them')),
    logLevel,
  )
  return log
}

/** @throws config_invalid with every fault at once */
function readSettings({ settings: given = {}, secret, users }: AuthOptions): { config: Config; warnings: string[] } {
  const known = new Map(Object.entries(settings).map(([key, { env }]) => [key, env]))
  known.delete('secret')
  const unknown = Object.keys(given).filter((key) => !known.has(key))
  if (unknown.length > 0)
    throw refused(unknown.map((field) => ({ field, code: 'unknown', message: 'is not a known setting' })))

  const env = Object.fromEntries(Object.entries(given).map(([key, text]) => [known.get(key) ?? key, text]))
  const { config, warnings } = readConfig({ env: { ...env, GATELODGE_SECRET: secret }, flags: {}, readFile: noFile })
  if (users && config.registration === 'verify') {
    const message = 'must be instant, admin or closed with a user repository, which cannot store pending sign-ups'
    throw refused([{ field: 'registration', code: 'conflict', message }])
  }
  return { config, warnings }
}

function refused(faults: readonly FieldFault[]): AuthError {
  return new AuthError('config_invalid', { faults })
}

function noFile(): never {
  throw new Error('the library does not read settings from files')
}

interface Lock {
  release(): void
}

const unlocked: Lock = { release() {} }

function lockDatabase({ database }: Config): Lock {
  return database.kind === 'postgres' ? unlocked : lockSqliteForServer(database.path)
}

async function orRelease<T>(lock: Lock, open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (error) {
    lock.release()
    throw error
  }
}

function givenIn({ clock, users }: AuthOptions): { clock?: Clock; accounts?: Accounts } {
  return { ...(clock && { clock }), ...(users && { accounts: externalAccounts(users) }) }
}

function toEngine(composition: Composition, users: UserRepository | undefined): Engine {
  const { deps } = composition
  return { composition, deps, users: users ?? sqlUserRepository(deps) }
}
