import { type Composition, compose } from '../compose.ts'
import type { Config } from '../config.ts'
import type { Accounts } from '../domain/accounts.ts'
import type { Fetch } from '../http/app.ts'
import { createCookieJar } from '../http/cookies.ts'
import { ownOriginsOf } from '../http/same-origin.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'
import { isLoopbackUrl } from '../kernel/loopback.ts'
import { systemRandom } from '../kernel/random.ts'
import { createLog } from '../output/log.ts'
import { lossyOutput } from '../output/lossy-output.ts'
import { servedRoutes } from '../routes.ts'
import { loadSecret } from '../secret.ts'
import { lockSqliteForServer } from '../store/sqlite.ts'
import { type Api, bindApi } from './api.ts'
import { type Engine, setEngine } from './engine.ts'
import { externalAccounts } from './external-accounts.ts'
import { createServedPaths } from './served-paths.ts'
import { type AuthSettings, readSettings } from './settings.ts'
import { sqlUserRepository, type UserRepository } from './user-repository.ts'

export interface AuthOptions {
  readonly settings?: AuthSettings
  /** At least 32 characters. The keys that encrypt stored secrets are derived from it. Default: the secret file in `dataDir`, which is created if missing. */
  readonly secret?: string
  /** Default: JSON lines on standard error. */
  readonly log?: Log
  readonly clock?: Clock
  /**
   * The repository in which accounts and passwords live, if not in our store. These rules apply:
   * - The repository owns the id, address, username, password and active state. Gatelodge owns sessions, tokens, limits, names and profile, in a copy of the
   *   account with the same id. It updates the copy at every sign-up and sign-in, and whenever a library function checks or refreshes a token; if the
   *   repository has deactivated the account, this ends its sessions. Session checks and refreshes over `fetch` read only the copy, so call `getLoggedInUser`
   *   with the token where a deactivation must take effect immediately.
   * - Sign-up, sign-in, password change and password reset call the repository, over HTTP and in the library. It receives a new password after our copy
   *   stored it: if the repository fails then, the caller gets `service_unavailable` and the old password remains valid.
   * - `registration` must be `instant`, `admin` or `closed`, because the repository cannot store a pending sign-up.
   * - Not available (`not_found`): the hosted pages, confirming or changing an address, `GET /username-available`, deleting the account. Reset mails reach only
   *   accounts that have registered or signed in here; `createPasswordResetToken` works for all accounts.
   */
  readonly users?: UserRepository
  /** Whether this instance delivers mails and deletes expired rows. Default: true. Pass false in a program that runs next to a server. */
  readonly startJobs?: boolean
  /**
   * Whether to print the address of the development mailbox, and each email in it with its link, on standard error. Default: true. Applies only without a mail
   * server.
   */
  readonly printMails?: boolean
}

/** An authentication system to mount in another program. */
export interface Auth {
  /**
   * Responds to every route of the HTTP API. Pass the client's address as `{ peer }`, or the `IncomingMessage` of node:http as `{ incoming }`; without either,
   * all clients share one budget in the rate limits per address.
   */
  fetch(request: Request, env?: Parameters<Fetch>[1]): Promise<Response>
  /** The operations as functions. The routes' rate limits per address do not apply to them. */
  readonly api: Api
  /** Stops the jobs, waits for running hashes and deliveries, and closes the database. */
  close(): Promise<void>
}

/**
 * Opens and migrates the database and returns an authentication system. Reads no environment variables. With jobs, it is the only server of its SQLite file;
 * CLI commands and instances without jobs can use the file at the same time. @throws config_invalid, service_unavailable
 */
export async function createAuth(options: AuthOptions = {}): Promise<Auth> {
  const { settings = {}, users } = options
  const { config, warnings } = readSettings({ settings, secret: options.secret, isExternal: users !== undefined })
  const log = options.log ?? (await standardLog(config))
  for (const warning of warnings) log.warn({}, warning)
  const announceMail = options.printMails === false || config.smtp ? () => {} : printer()
  const secret = loadSecret(config, systemRandom)
  const runsJobs = options.startJobs !== false
  const lock = runsJobs ? lockDatabase(config) : unlocked

  const composition = await orRelease(lock, () => compose({ config, secret, log, announceMail, ...givenIn(options) }))
  const engine = toEngine(composition, users)
  const warnOfHost = hostWarning(config.publicUrl, log)
  const auth: Auth = {
    async fetch(request, env) {
      warnOfHost(request)
      return composition.fetch(request, env)
    },
    api: bindApi(() => auth),
    async close() {
      await composition.close()
      lock.release()
    },
  }
  setEngine(auth, engine)
  if (runsJobs) {
    composition.startJobs()
    if (!config.smtp && isLoopbackUrl(config.publicUrl) && !users)
      announceMail(`Gatelodge: no mail server is configured, so emails stay in ${config.publicUrl}/dev/mailbox`)
  }
  return auth
}

/** Prints lines on standard error for the developer of the host program. */
function printer(): (line: string) => void {
  const { write } = lossyOutput(2, () => {}) // the emails are in the mailbox too
  return (line) => write(`${line}\n`)
}

/** Returns a function that logs the first request to another host than the public URL's, which is probably a forgotten setting. */
function hostWarning(publicUrl: string, log: Log): (request: Request) => void {
  const hostOf = (url: string) => url.split('/', 3)[2]
  const ownHost = hostOf(publicUrl)
  let isWarned = false
  return ({ url }) => {
    if (isWarned || hostOf(url) === ownHost) return

    isWarned = true
    log.warn(
      {},
      `a request came to another host than publicUrl, which is ${publicUrl}: links and cookies work only there`,
    )
  }
}

async function standardLog({ logLevel }: Config): Promise<Log> {
  const log = await createLog(
    lossyOutput(2, (lines) => log.warn({ lines }, 'log lines were dropped because standard error did not accept them')),
    logLevel,
  )
  return log
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
  return {
    composition,
    deps,
    users: users ?? sqlUserRepository(deps),
    sessionCookie: createCookieJar(deps.config.publicUrl).session,
    ownOrigins: ownOriginsOf(deps.config),
    serves: createServedPaths(servedRoutes(deps.accounts)),
  }
}
