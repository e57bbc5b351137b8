import { AuthError, AuthServiceUnavailable } from './errors.ts'
import { createExclusive, randomId } from './exclusive.ts'
import type { TokenResponse } from './generated.ts'
import { isRecord, parseJson } from './json.ts'
import type { Platform, TokenStorage } from './platform.ts'
import { isUser } from './user.ts'

/** The pair of tokens that is held, as the storage has it. */
export interface Held {
  /** Another one for each pair, so that two of them are told apart without a look at secrets. */
  readonly id: string
  readonly access_token: string
  readonly refresh_token: string
  readonly session_id: string
  /** Whose they are. */
  readonly user_id?: string | undefined
  /** When to refresh: before the access token ends. epoch ms */
  readonly refresh_at: number
}

/** What a sign-in or a refresh answers, as far as it is relied on here. */
export type TokenPair = Pick<TokenResponse, 'access_token' | 'refresh_token' | 'session_id' | 'expires_in'> & {
  readonly user?: unknown
}

/** The tokens of one sign-in, shared by all tabs through their storage. A storage that fails is service_unavailable too. */
export interface Tokens {
  /** The pair for the next request, refreshed if its time has come; undefined when nobody is signed in. @throws service_unavailable */
  current(signal?: AbortSignal): Promise<Held | undefined>
  /**
   * What follows a pair that was refused: of another tab if it was faster, which may be another person's; undefined when the session has ended.
   * @throws service_unavailable
   */
  after(refused: Held, signal?: AbortSignal): Promise<Held | undefined>
  /** Stores a pair; where the storage does not take it, this tab keeps it. */
  keep(pair: TokenPair): Promise<Held>
  /** Whatever is held now, good or not. */
  read(): Promise<Held | undefined>
  /** Forgets the tokens of a session. Answers false, and forgets nothing, when those of another session are held by now. */
  forget(ended: Held | undefined): Promise<boolean>
}

interface Parts {
  readonly platform: Platform
  readonly storage: TokenStorage
  /** Whether other tabs use the storage too. */
  readonly isShared: boolean
  /** What the storage knows them by. */
  readonly name: string
  /** How long a request may take, in ms. */
  readonly timeout: number
  /** Asks the server for the next pair. */
  readonly refresh: (refreshToken: string) => Promise<unknown>
  /** Hears that the session ended. */
  readonly onEnd: () => void
  /** Hears what the refresh answered. */
  readonly onRefresh: (answer: TokenPair) => void
}

/** Keeps tokens and refreshes them: one refresh at a time, however many calls and tabs want one. */
export function createTokens(parts: Parts): Tokens {
  const { platform, name } = parts
  const storage = withErrors(parts.storage)
  const exclusive = parts.isShared ? createExclusive(platform, storage, parts.timeout + 5_000) : alone
  let running: Promise<Held | undefined> | undefined
  /** A pair that the storage did not take, and the id of the one that is stored in its place. */
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
    // Whoever signed out or in during the request must not get the old session back.
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

  /** Undefined when the session has ended. Trouble on the way says nothing of the session: nobody is signed out by it. */
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
    // A quarter of a short life, at most 30 seconds, for the way of the next request.
    const refresh_at = platform.now() + expires_in * 1_000 - Math.min(30_000, expires_in * 250)
    const user_id = isUser(user) ? user.id : undefined
    const held: Held = { id: randomId(), access_token, refresh_token, session_id, user_id, refresh_at }
    try {
      await storage.set(name, JSON.stringify(held))
      unstored = undefined
    } catch {
      unstored = { held, over: (await readStored().catch(() => undefined))?.id }
      await storage.remove(name).catch(() => undefined) // a tab that refreshed with the spent one would end the session
    }
    return held
  }

  async function read(): Promise<Held | undefined> {
    const stored = await readStored()
    if (unstored && (!stored || stored.id === unstored.over)) return unstored.held
    unstored = undefined // another tab signed in since
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

/** Whether two pairs are of one person: what one of them asked for must not be done in the name of another. */
export function isSamePerson(one: Held, other: Held): boolean {
  return one.session_id === other.session_id || (one.user_id !== undefined && one.user_id === other.user_id)
}

/** Whether an answer holds a pair of tokens. */
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

/** A page with a storage of its own has no other tab to wait for. */
function alone<T>(_name: string, task: () => Promise<T>): Promise<T> {
  return task()
}

/** A storage whose failures are errors of this package. */
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

/** A caller that gives up leaves what others wait for running. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason)
    if (signal.aborted) giveUp()
    else signal.addEventListener('abort', giveUp)
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}
