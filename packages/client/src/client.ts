import { ask, type Fetch } from './ask.ts'
import { AuthServiceUnavailable, InvalidToken, NotAuthenticated } from './errors.ts'
import type { Session, User } from './generated.ts'
import { isRecord } from './json.ts'
import { fetchWithTokens } from './own-fetch.ts'
import { memoryStorage, type Platform, type TokenStorage } from './platform.ts'
import { createPresence, type SessionEvent, type SessionEvents } from './presence.ts'
import { type Answer, type AnyInput, type Body, credentialOf, type Given, locate, type Route } from './routes.ts'
import { createTokens, type Held, isSamePerson, isTokenPair, type TokenPair, type Tokens } from './tokens.ts'
import { isUser } from './user.ts'

/** How a client connects to its server and stores the session. */
export interface ClientOptions {
  /** The URL of Gatelodge, for example `https://auth.example.com`. Defaults to the origin of the page; required outside a page. */
  readonly baseUrl?: string
  /** `cookie` (default): the browser stores the session where scripts cannot read it. `token`: this client stores tokens and refreshes them. */
  readonly session?: 'cookie' | 'token'
  /** Where tokens are stored. `local` (default): localStorage, shared by all tabs; in memory outside a page. */
  readonly storage?: 'local' | 'memory' | TokenStorage
  /** Additional origins that `fetch` may send the token to, besides those of `baseUrl` and the page. */
  readonly origins?: readonly string[]
  /** Timeout of a request to Gatelodge, in ms; 10 000 by default. Uploads may always take at least 30 000. */
  readonly timeout?: number
  readonly fetch?: Fetch
}

/** A client of one Gatelodge server. Its functions throw AuthError; an aborted call throws the reason of its signal. */
export interface Client {
  /** Calls any route of the API: `call('DELETE /api/v1/auth/me/sessions/{id}', { params: { id } })`. */
  call<R extends Route>(route: R, ...given: Given<R>): Promise<Answer<R>>
  /**
   * Fetches from your own APIs with the access token of the signed-in user, in cookie mode with cookies. Returns the response like `fetch`, including 401 and
   * 403. After a 401 it refreshes the token and repeats the request once, unless another user has signed in since, or the body is a stream, which can be sent
   * only once; the body of a `Request` is a stream.
   * @throws TypeError for an origin that is not `baseUrl`'s, the page's or in `origins`; service_unavailable if a refresh is due and fails
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>
  /** Calls the listener on each event, in this tab or another. Returns a function that removes the listener. */
  on<E extends SessionEvent>(event: E, listener: (detail: SessionEvents[E]) => void): () => void

  signUp(body: Body<'POST /api/v1/auth/signup'>): Promise<Answer<'POST /api/v1/auth/signup'>>
  verifyEmail(body: Body<'POST /api/v1/auth/verify-email'>): Promise<Answer<'POST /api/v1/auth/verify-email'>>
  resendVerification(email: string): Promise<Answer<'POST /api/v1/auth/verify-email/resend'>>
  signIn(body: Omit<Body<'POST /api/v1/auth/signin'>, 'session'>): Promise<Answer<'POST /api/v1/auth/signin'>>
  /** Replaces an initial password, after `signIn` was answered `password_change_required`, and completes that sign-in. */
  replaceInitialPassword(
    body: Body<'POST /api/v1/auth/signin/new-password'>,
  ): Promise<Answer<'POST /api/v1/auth/signin/new-password'>>
  /** Ends the session. In token mode the tokens are deleted even if the server cannot be reached; the error is thrown nevertheless. */
  signOut(): Promise<void>
  /** Returns the signed-in user and the session, or null if no user is signed in. */
  session(): Promise<{ user: User; session: Session } | null>
  forgotPassword(email: string): Promise<Answer<'POST /api/v1/auth/forgot-password'>>
  resetPassword(body: Body<'POST /api/v1/auth/reset-password'>): Promise<Answer<'POST /api/v1/auth/reset-password'>>
  changePassword(body: Body<'POST /api/v1/auth/change-password'>): Promise<Answer<'POST /api/v1/auth/change-password'>>
  me(): Promise<User>
  updateMe(body: Body<'PATCH /api/v1/auth/me'>): Promise<User>
  setAvatar(file: Blob): Promise<User>
  removeAvatar(): Promise<User>
  /** Removes all listeners and disconnects from other tabs, for a client that is no longer needed. Does not sign the user out. */
  close(): void
}

/** More than the server's own limit for uploads. ms */
const leastForUploads = 30_000

/** Creates a client on a platform. @throws TypeError for an entry of `origins` that is not a URL */
export function createClientOn(platform: Platform, options: ClientOptions): Client {
  const { session: kind = 'cookie', timeout = 10_000, fetch = platform.fetch } = options
  const name = `gatelodge ${options.baseUrl ?? ''}`
  const tabStorage = findTabStorage(platform, options)
  const tokens = kind === 'token' ? keepTokens() : undefined
  // Tabs that store tokens for themselves have separate sign-ins, and nothing to share.
  const channel = tokens && !tabStorage ? undefined : platform.openChannel(name)
  const presence = createPresence(channel, tokens && (async () => (await tokens.read()) !== undefined))
  const cookies: RequestInit = tokens ? {} : { credentials: 'include' }
  const listed = (options.origins ?? []).map((origin) => new URL(origin).origin)

  function keepTokens(): Tokens {
    return createTokens({
      platform,
      storage: tabStorage ?? memoryStorage(),
      isShared: tabStorage !== undefined,
      name,
      timeout,
      refresh: (refresh_token) => send('POST /api/v1/auth/refresh', { body: { refresh_token } }),
      onRefresh: renewed,
      onEnd: () => presence.signedOut(),
    })
  }

  async function call<R extends Route>(route: R, ...given: Given<R>): Promise<Answer<R>> {
    const input: AnyInput = given[0] ?? {}
    const asked = presence.epoch()
    const { answer, held } = await (credentialOf(route) === 'none'
      ? sendAsNobody(route, input)
      : sendAsUser(route, input, asked))
    await learn(route, answer, held, asked)
    return answer as Answer<R> // JSON of this API, whose type the route table defines
  }

  async function sendAsNobody(route: Route, input: AnyInput): Promise<Answered> {
    const held = route === signOutRoute ? await tokens?.read() : undefined
    return { answer: await send(route, input), held }
  }

  async function sendAsUser(route: Route, input: AnyInput, asked: number): Promise<Answered> {
    const held = await findHeld(route, input.signal, asked)
    try {
      return { answer: await send(route, input, held?.access_token), held }
    } catch (error) {
      if (!isRefusal(error)) throw error
      if (!tokens) presence.foundNobody(asked)
      const next = held && (await tokens?.after(held, input.signal))
      // Only the question who is signed in may be answered for another user; no other request may be sent as that user.
      if (!next || !(isSamePerson(held, next) || route === 'GET /api/v1/auth/session')) throw error
      return { answer: await send(route, input, next.access_token), held: next }
    }
  }

  async function findHeld(route: Route, signal: AbortSignal | undefined, asked: number): Promise<Held | undefined> {
    const isNeeded = credentialOf(route) === 'session'
    try {
      const held = await tokens?.current(signal)
      if (!tokens || held) return held
      presence.foundNobody(asked)
      if (isNeeded) throw new NotAuthenticated()
      return undefined
    } catch (error) {
      if (!isNeeded && error instanceof AuthServiceUnavailable) return undefined // a sign-in does not depend on an old session
      throw error
    }
  }

  function send(route: Route, input: AnyInput, accessToken?: string): Promise<unknown> {
    const { method, path } = locate(route, input)
    const url = baseUrl().href.replace(/\/$/, '') + path
    return ask(
      fetch,
      url,
      { ...cookies, ...toInit(method, input.body, accessToken) },
      { timeout: input.body instanceof FormData ? Math.max(timeout, leastForUploads) : timeout, signal: input.signal },
    )
  }

  function baseUrl(): URL {
    return new URL(options.baseUrl || '/', platform.href)
  }

  /** Records what a response says about the signed-in user. */
  async function learn(route: Route, answer: unknown, held: Held | undefined, asked: number): Promise<void> {
    if (route === signOutRoute || route === 'DELETE /api/v1/auth/me') return forget(held)

    const isPair = isTokenPair(answer)
    if (credentialOf(route) === 'session') {
      if (tokens && isPair) return renew(tokens, answer, held)
      const tell = route.startsWith('GET ') ? presence.found : presence.changed
      return learnUser(answer, (user) => tell(user, asked))
    }
    if (tokens && isPair) await tokens.keep(answer)
    const signsIn = tokens ? isPair : isRecord(answer) && 'session' in answer
    learnUser(answer, signsIn ? presence.signedIn : presence.mentioned)
  }

  /** Stores the successor of the tokens that a request was sent with, unless a user has signed in since. */
  async function renew(tokens: Tokens, answer: TokenPair, held: Held | undefined): Promise<void> {
    const now = await tokens.read()
    if (now && now.session_id !== held?.session_id) return
    await tokens.keep(answer)
    renewed(answer)
  }

  function renewed(answer: TokenPair): void {
    presence.refreshed()
    learnUser(answer, (user) => presence.found(user, presence.epoch())) // the user of the tokens held now
  }

  function learnUser(answer: unknown, tell: (user: User) => void): void {
    const user = isRecord(answer) && 'user' in answer ? answer.user : answer
    if (isUser(user)) tell(user)
  }

  /** Ends a session in this client, unless a user has signed in since. */
  async function forget(held: Held | undefined): Promise<void> {
    if (!tokens || (await tokens.forget(held))) presence.signedOut()
  }

  return {
    call,
    fetch(input, init = {}) {
      const origins = [baseUrl().origin, ...(platform.href ? [new URL(platform.href).origin] : []), ...listed]
      return fetchWithTokens({ fetch, tokens, origins, href: platform.href }, input, { ...cookies, ...init })
    },
    on: presence.on,

    signUp: (body) => call('POST /api/v1/auth/signup', { body }),
    verifyEmail: (body) => call('POST /api/v1/auth/verify-email', { body }),
    resendVerification: (email) => call('POST /api/v1/auth/verify-email/resend', { body: { email } }),
    signIn: (body) => call('POST /api/v1/auth/signin', { body: { ...body, session: kind } }),
    replaceInitialPassword: (body) => call('POST /api/v1/auth/signin/new-password', { body }),
    async signOut() {
      const held = await tokens?.read()
      try {
        await send(signOutRoute, held ? { body: { refresh_token: held.refresh_token } } : {})
      } catch (error) {
        if (tokens) await forget(held)
        throw error
      }
      await forget(held)
    },
    async session() {
      try {
        return await call('GET /api/v1/auth/session')
      } catch (error) {
        if (isRefusal(error)) return null
        throw error
      }
    },
    forgotPassword: (email) => call('POST /api/v1/auth/forgot-password', { body: { email } }),
    resetPassword: (body) => call('POST /api/v1/auth/reset-password', { body }),
    changePassword: (body) => call('POST /api/v1/auth/change-password', { body }),
    me: () => call('GET /api/v1/auth/me'),
    updateMe: (body) => call('PATCH /api/v1/auth/me', { body }),
    setAvatar(file) {
      const body = new FormData()
      body.append('avatar', file)
      return call('PUT /api/v1/auth/me/avatar', { body })
    },
    removeAvatar: () => call('DELETE /api/v1/auth/me/avatar'),
    close: presence.close,
  }
}

const signOutRoute = 'POST /api/v1/auth/signout'

/** A response, with the tokens that it belongs to. */
interface Answered {
  readonly answer: unknown
  readonly held: Held | undefined
}

function findTabStorage(platform: Platform, { storage = 'local' }: ClientOptions): TokenStorage | undefined {
  if (storage === 'memory') return undefined
  return storage === 'local' ? platform.tabStorage : storage
}

function toInit(method: string, body: unknown, accessToken: string | undefined): RequestInit {
  const headers: Record<string, string> = {}
  if (accessToken !== undefined) headers.authorization = `Bearer ${accessToken}`
  if (body === undefined) return { method, headers }
  if (body instanceof FormData) return { method, headers, body }
  return { method, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

/** Returns whether the server rejected the credential or received none. An invalid mailed link is `token_invalid` too, but with status 400. */
function isRefusal(error: unknown): boolean {
  return (error instanceof InvalidToken || error instanceof NotAuthenticated) && error.status === 401
}
