import { AuthError, AuthServiceUnavailable } from './errors.ts'
import { createExclusive, randomId } from './exclusive.ts'
import type { TokenResponse } from './generated.ts'
import { isRecord, parseJson } from './json.ts'
import type { Platform, TokenStorage } from './platform.ts'

/** The pair of tokens that is held, as the storage has it. */
export interface Held {
  /** Another one for each pair, so that two of them are told apart without a look at secrets. */
  readonly id: string
  readonly access_token: string
  readonly refresh_token: string
  readonly session_id: string
  /** When to refresh: before the access token ends. epoch ms */
  readonly refresh_at: number
}

/** What a sign-in or a refresh answers, as far as it is relied on here. */
export type TokenPair = Pick<TokenResponse, 'access_token' | 'refresh_token' | 'session_id' | 'expires_in'>

/** The tokens of one sign-in, shared by all tabs through their storage. */
export interface Tokens {
  /** The pair for the next request, refreshed if its time has come; undefined when nobody is signed in. @throws service_unavailable */
  current(signal?: AbortSignal): Promise<Held | undefined>
  /** What follows a pair that was refused: of another tab if it was faster; undefined when the session has ended. @throws service_unavailable */
  after(refused: Held, signal?: AbortSignal): Promise<Held | undefined>
  keep(pair: TokenPair): Promise<Held>
  /** Whatever is stored now, good or not. */
  read(): Promise<Held | undefined>
  forget(): Promise<void>
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
  const { platform, storage, name } = parts
  const exclusive = parts.isShared ? createExclusive(platform, storage, parts.timeout + 5_000) : alone
  let running: Promise<Held | undefined> | undefined

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
    await forget()
    parts.onEnd()
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

  async function keep({ access_token, refresh_token, session_id, expires_in }: TokenPair): Promise<Held> {
    // A quarter of a short life, at most 30 seconds, for the way of the next request.
    const refresh_at = platform.now() + expires_in * 1_000 - Math.min(30_000, expires_in * 250)
    const held: Held = { id: randomId(), access_token, refresh_token, session_id, refresh_at }
    await storage.set(name, JSON.stringify(held))
    return held
  }

  async function read(): Promise<Held | undefined> {
    const held = parseJson(await storage.get(name))
    return isHeld(held) ? held : undefined
  }

  async function forget(): Promise<void> {
    await storage.remove(name)
  }

  return { current, after, keep, read, forget }
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

/** A caller that gives up leaves what others wait for running. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    promise.then(resolve, reject)
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
