import { AuthError, AuthServiceUnavailable } from './errors.ts'
import { createExclusive, randomId } from './exclusive.ts'
import type { TokenResponse } from './generated.ts'
import { isRecord, parseJson } from './json.ts'
import type { Platform, TokenStorage } from './platform.ts'
import { isUser } from './user.ts'

/** A pair of tokens, as stored. */
export interface Held {
  /** Unique per pair, so that pairs can be compared without their secrets. */
  readonly id: string
  readonly access_token: string
  readonly refresh_token: string
  readonly session_id: string
  /** The user that the tokens belong to. */
  readonly user_id?: string | undefined
  /** When to refresh, before the access token expires. epoch ms */
  readonly refresh_at: number
}

/** The part of a response to a sign-in or a refresh that is used here. */
export type TokenPair = Pick<TokenResponse, 'access_token' | 'refresh_token' | 'session_id' | 'expires_in'> & {
  readonly user?: unknown
}

/** The tokens of one sign-in, shared by all tabs through their storage. A failing storage is reported as service_unavailable too. */
export interface Tokens {
  /** Returns the pair for the next request, refreshed if due, or undefined if no user is signed in. @throws service_unavailable */
  current(signal?: AbortSignal): Promise<Held | undefined>
  /**
   * Returns the successor of a pair that was rejected, or the pair that another tab has stored meanwhile, possibly of another user. Returns undefined if the
   * session has ended.
   * @throws service_unavailable
   */
  after(refused: Held, signal?: AbortSignal): Promise<Held | undefined>
  /** Stores a pair. If the storage does not accept it, it is kept in this tab. */
  keep(pair: TokenPair): Promise<Held>
  /** Returns the pair held now, valid or not. */
  read(): Promise<Held | undefined>
  /** Deletes the tokens of a session. Returns false and deletes nothing if the tokens held now belong to another session. */
  forget(ended: Held | undefined): Promise<boolean>
}

interface Parts {
  readonly platform: Platform
  readonly storage: TokenStorage
  /** Whether other tabs use the storage too. */
  readonly isShared: boolean
  /** The name of the tokens in the storage. */
  readonly name: string
  /** Timeout of a request, in ms. */
  readonly timeout: number
  /** Requests the next pair from the server. */
  readonly refresh: (refreshToken: string) => Promise<unknown>
  /** Called when the session has ended. */
  readonly onEnd: () => void
  /** Called with the response of a refresh. */
  readonly onRefresh: (answer: TokenPair) => void
}

/** Creates the tokens, which are refreshed one request at a time, however many calls and tabs need it. */
export function createTokens(parts: Parts): Tokens {
  const { platform, name } = parts
  const storage = withErrors(parts.storage)
  const exclusive = parts.isShared ? createExclusive(platform, storage, parts.timeout + 5_000) : alone
  let running: Promise<Held | undefined> | undefined
  /** A pair that the storage did not accept, and the ID of the stored pair that it replaces. */
  let unstored: { readonly held: Held; readonly over: string | undefined } | undefined

  async function current(signal?: AbortSignal): Promise<Held | undefined> {
    const held = await read()
    return held && held.refresh_at <= platform.now() ? after(held, signal) : held
  }

  function after(refused: Held, signal?: AbortSignal): Promise<Held | undefined> {
    running ??= exclusive(`${name} ${refused.session_id}`, () => refreshOnce(refused)).finally(() => {
      running = undefined
    })
    return untilAborted(running, signal)
  }

  async function refreshOnce(refused: Held): Promise<Held | undefined> {
    const held = await read()
    if (held?.id !== refused.id) return held // another tab refreshed, signed out or signed in while this one waited

    const answer = await askForNext(held)
    // If a user signed out or in during the request, the old session must not come back.
    const now = await read()
    if (now?.id !== held.id) return now
    if (answer) {
      const next = await keep(answer)
      parts.onRefresh(answer)
      return next
    }
    if (await forget(held)) parts.onEnd()
    return undefined
  }

  /** Returns undefined if the session has ended. A failed request says nothing about the session and does not sign the user out. */
  async function askForNext({ refresh_token }: Held): Promise<TokenPair | undefined> {
    try {
      const answer = await parts.refresh(refresh_token)
      if (isTokenPair(answer)) return answer
    } catch (error) {
      if (!(error instanceof AuthError)) throw error
      if (error.code === 'token_invalid' || error.code === 'input_invalid') return undefined
      if (error.status !== 429 && error.status < 500) throw error
      throw new AuthServiceUnavailable({ retryAfter: error.retryAfter, instance: error.instance, cause: error })
    }
    throw new AuthServiceUnavailable()
  }

  async function keep({ access_token, refresh_token, session_id, expires_in, user }: TokenPair): Promise<Held> {
    // A quarter of a short lifetime, at most 30 seconds, as a margin for the next request.
    const refresh_at = platform.now() + expires_in * 1_000 - Math.min(30_000, expires_in * 250)
    const user_id = isUser(user) ? user.id : undefined
    const held: Held = { id: randomId(), access_token, refresh_token, session_id, user_id, refresh_at }
    try {
      await storage.set(name, JSON.stringify(held))
      unstored = undefined
    } catch {
      unstored = { held, over: (await readStored().catch(() => undefined))?.id }
      await storage.remove(name).catch(() => undefined) // a tab that refreshed with the used token would end the session
    }
    return held
  }

  async function read(): Promise<Held | undefined> {
    const stored = await readStored()
    if (unstored && (!stored || stored.id === unstored.over)) return unstored.held
    unstored = undefined // another tab has signed in since
    return stored
  }

  async function readStored(): Promise<Held | undefined> {
    const stored = parseJson(await storage.get(name))
    return isHeld(stored) ? stored : undefined
  }

  async function forget(ended: Held | undefined): Promise<boolean> {
    const held = await read()
    if (held && held.session_id !== ended?.session_id) return false

    unstored = undefined
    await storage.remove(name)
    return true
  }

  return { current, after, keep, read, forget }
}

/** Returns whether two pairs belong to the same user. A request of one user must not be sent in the name of another. */
export function isSamePerson(one: Held, other: Held): boolean {
  return one.session_id === other.session_id || (one.user_id !== undefined && one.user_id === other.user_id)
}

/** Returns whether a response contains a pair of tokens. */
export function isTokenPair(value: unknown): value is TokenPair {
  return isRecord(value) && hasTexts(value, ['access_token', 'refresh_token', 'session_id']) && isTime(value.expires_in)
}

function isHeld(value: unknown): value is Held {
  const texts = ['id', 'access_token', 'refresh_token', 'session_id']
  return isRecord(value) && hasTexts(value, texts) && isTime(value.refresh_at)
}

function hasTexts(value: Record<string, unknown>, names: readonly string[]): boolean {
  return names.every((name) => typeof value[name] === 'string' && value[name] !== '')
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && value >= 0
}

/** Runs a task immediately: a page with its own storage has no other tabs to wait for. */
function alone<T>(_name: string, task: () => Promise<T>): Promise<T> {
  return task()
}

/** Wraps a storage so that its failures become errors of this package. */
function withErrors(storage: TokenStorage) {
  const attempt = async <T>(step: () => T | Promise<T>): Promise<T> => {
    try {
      return await step()
    } catch (cause) {
      throw new AuthServiceUnavailable({ cause })
    }
  }
  return {
    get: (name: string) => attempt(() => storage.get(name)),
    set: (name: string, value: string) => attempt(() => storage.set(name, value)),
    remove: (name: string) => attempt(() => storage.remove(name)),
  }
}

/** Rejects when the caller aborts, but leaves the promise running for others. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason)
    if (signal.aborted) giveUp()
    else signal.addEventListener('abort', giveUp)
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}
