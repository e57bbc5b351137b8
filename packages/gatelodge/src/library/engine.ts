import type { Composition } from '../compose.ts'
import type { Deps } from '../domain/deps.ts'
import type { LiveSession } from '../domain/session-cache.ts'
import type { Cookie } from '../http/cookies.ts'
import { type Actor, systemActor } from '../kernel/actor.ts'
import { AuthError } from '../kernel/errors.ts'
import { uuidv7 } from '../kernel/ids.ts'
import type { Auth } from './auth.ts'
import type { UserRepository } from './user-repository.ts'

/** The internals of an `Auth`, which the host program cannot access. */
export interface Engine {
  readonly composition: Composition
  readonly deps: Deps
  readonly users: UserRepository
  readonly sessionCookie: Cookie
  /** The origins whose pages may send requests with the session cookie. */
  readonly ownOrigins: ReadonlySet<string>
  /** Returns whether Gatelodge serves a path. The root is left to the host. */
  readonly serves: (path: string) => boolean
}

/** The caller of an operation: the access token, if it acts for a signed-in user, and what the host knows about the client. */
export interface Caller {
  readonly token?: string | undefined
  /** For the audit log, the session list and the fair queue of the password hasher. */
  readonly ip?: string | undefined
  readonly userAgent?: string | undefined
}

const engines = new WeakMap<Auth, Engine>()

/** Sets the engine of an Auth. */
export function setEngine(auth: Auth, engine: Engine): void {
  engines.set(auth, engine)
}

/** Returns the engine of an Auth. @throws TypeError if `createAuth` did not create it */
export function engineOf(auth: Auth): Engine {
  const engine = engines.get(auth)
  if (!engine) throw new TypeError('the first argument must be the object that createAuth() returned')
  return engine
}

/** Returns the engine of an Auth whose accounts are our own. @throws not_found if they live in a repository of the host program, whose interface does not support this */
export function ownUsers(auth: Auth): Engine {
  const engine = engineOf(auth)
  if (engine.deps.accounts.isExternal)
    throw new AuthError('not_found', { detail: 'This is managed by the user repository' })
  return engine
}

/** Returns the actor of one library call, with a new request ID. */
export function actorOf(deps: Deps, caller: Caller = {}, me?: LiveSession): Actor {
  return {
    ...systemActor('library', uuidv7(deps.clock, deps.random)),
    ip: caller.ip ?? null,
    userAgent: caller.userAgent ?? null,
    principal: me?.principal ?? null,
  }
}
