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

/** How a client reaches its server and keeps the session. */
export interface ClientOptions {
  /** Where Gatelodge is, such as `https://auth.example.com`. Left out, the origin of the page; outside of a page it is needed. */
  readonly baseUrl?: string
  /** `cookie` (default): the browser keeps the session where no script can read it. `token`: this client keeps tokens and refreshes them. */
  readonly session?: 'cookie' | 'token'
  /** Where tokens are kept. `local` (default): localStorage, which all tabs share; in memory where there is no page. */
  readonly storage?: 'local' | 'memory' | TokenStorage
  /** Origins that `fetch` may send the token to, besides that of `baseUrl` and the page's own. */
  readonly origins?: readonly string[]
  /** How long a request to Gatelodge may take, in ms; 10 000 unless given. An upload may take 30 000 in any case. */
  readonly timeout?: number
  readonly fetch?: Fetch
}

/** A client of one Gatelodge server. Its functions raise AuthError; who gives up by a signal gets the reason of that signal. */
export interface Client {
  /** Asks any route of the API: `call('DELETE /api/v1/auth/me/sessions/{id}', { params: { id } })`. */
  call<R extends Route>(route: R, ...given: Given<R>): Promise<Answer<R>>
  /**
   * `fetch` for APIs of your own, with the token of whoever is signed in, in cookie mode with cookies. Answers as `fetch` does, also 401 and 403.
   * After a 401 it refreshes and asks once more, unless somebody else is signed in by then, or the body is a stream, which can be sent only once: that of a
   * `Request` is one.
   * @throws TypeError for an origin that is not `baseUrl`'s, the page's or one of `origins`; service_unavailable when a refresh is due and fails
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>
  /** Calls the listener whenever that happens, in this tab or another; answers a function that ends it. */
  on<E extends SessionEvent>(event: E, listener: (detail: SessionEvents[E]) => void): () => void

  signUp(body: Body<'POST /api/v1/auth/signup'>): Promise<Answer<'POST /api/v1/auth/signup'>>
  verifyEmail(body: Body<'POST /api/v1/auth/verify-email'>): Promise<Answer<'POST /api/v1/auth/verify-email'>>
  resendVerification(email: string): Promise<Answer<'POST /api/v1/auth/verify-email/resend'>>
  signIn(body: Omit<Body<'POST /api/v1/auth/signin'>, 'session'>): Promise<Answer<'POST /api/v1/auth/signin'>>
  /** Replaces an initial password, after `signIn` was answered `password_change_required`, and completes that sign-in. */
  replaceInitialPassword(
    body: Body<'POST /api/v1/auth/signin/new-password'>,
  ): Promise<Answer<'POST /api/v1/auth/signin/new-password'>>
  /** Ends the session. In token mode its tokens are gone afterwards even if the server was not reached, which is raised. */
  signOut(): Promise<void>
  /** Who is signed in; null for nobody. */
  session(): Promise<{ user: User; session: Session } | null>
  forgotPassword(email: string): Promise<Answer<'POST /api/v1/auth/forgot-password'>>
  resetPassword(body: Body<'POST /api/v1/auth/reset-password'>): Promise<Answer<'POST /api/v1/auth/reset-password'>>
  changePassword(body: Body<'POST /api/v1/auth/change-password'>): Promise<Answer<'POST /api/v1/auth/change-password'>>
  me(): Promise<User>
  updateMe(body: Body<'PATCH /api/v1/auth/me'>): Promise<User>
  setAvatar(file: Blob): Promise<User>
  removeAvatar(): Promise<User>
  /** Takes all listeners off and ends the connection to other tabs, for a client that is thrown away. Nobody is signed out. */
  close(): void
}

/** Longer than the server waits for one. ms */
const leastForUploads = 30_000

/** A client on a given platform. @throws TypeError for an entry of `origins` that is no URL */
export function createClientOn(platform: Platform, options: ClientOptions): Client {
  const { session: kind = 'cookie', timeout = 10_000, fetch = platform.fetch } = options
  const name = `gatelodge ${options.baseUrl ?? ''}`
  const tabStorage = findTabStorage(platform, options)
  const tokens = kind === 'token' ? keepTokens() : undefined
  // Tabs that keep tokens for themselves have sign-ins of their own, and nothing to tell each other.
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
    return answer as Answer<R> // it is JSON of this API, whose shape the route table gives
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
      // The question who is signed in may be answered by another name; nothing else may be done in it.
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

  /** Keeps what an answer says of who is signed in. */
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

  /** Keeps what follows the tokens that a request was sent with, unless somebody signed in since. */
  async function renew(tokens: Tokens, answer: TokenPair, held: Held | undefined): Promise<void> {
    const now = await tokens.read()
    if (now && now.session_id !== held?.session_id) return
    await tokens.keep(answer)
    renewed(answer)
  }

  function renewed(answer: TokenPair): void {
    presence.refreshed()
    learnUser(answer, (user) => presence.found(user, presence.epoch())) // it is whose tokens are held now
  }

  function learnUser(answer: unknown, tell: (user: User) => void): void {
    const user = isRecord(answer) && 'user' in answer ? answer.user : answer
    if (isUser(user)) tell(user)
  }

  /** Ends a session here, unless somebody signed in since. */
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

/** An answer, and the tokens that it is about. */
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

/** Whether the server did not take the credential, or got none. A mailed link that is not good is `token_invalid` too, but 400. */
function isRefusal(error: unknown): boolean {
  return (error instanceof InvalidToken || error instanceof NotAuthenticated) && error.status === 401
}
