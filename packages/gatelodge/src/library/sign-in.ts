import { createAccount } from '../admin/users/create-user.ts'
import type { SignInOutcome } from '../domain/authentication.ts'
import { can } from '../domain/authorization.ts'
import { loadUser } from '../domain/users.ts'
import { refresh } from '../flows/sessions/refresh.ts'
import { signOut } from '../flows/sessions/sign-out.ts'
import { sessionAnswers } from '../flows/sessions/words/index.ts'
import { setNewPassword } from '../flows/sign-in/new-password.ts'
import { signIn } from '../flows/sign-in/sign-in.ts'
import { signUp } from '../flows/sign-up/sign-up.ts'
import { verificationRequired } from '../flows/sign-up/words/index.ts'
import {
  AuthError,
  NoAuthUserError,
  PasswordChangeRequiredError,
  SessionValidationError,
  TokenError,
} from '../kernel/errors.ts'
import type { Auth } from './auth.ts'
import { actorOf, type Caller, type Engine, engineOf, ownUsers } from './engine.ts'
import { createExternal } from './external-users.ts'
import { holderOf, signedIn } from './holder.ts'
import {
  type LoginRequest,
  loginSchema,
  type RegisterRequest,
  type ReplaceInitialPasswordRequest,
  readInput,
  registerSchema,
  replaceInitialPasswordSchema,
} from './input.ts'
import { raising } from './naming.ts'
import { type PublicUser, toPublicUser } from './public-user.ts'
import { newRepositoryUser } from './user-repository.ts'

export interface TokenPair {
  readonly accessToken: string
  readonly refreshToken: string
}

export interface LoginResponse extends TokenPair {
  /** Lifetime of the access token in seconds. */
  readonly expiresIn: number
  readonly user: PublicUser
}

/** The outcome of a registration: a mailed link, a session, or an account that an administrator created. */
export type RegisterResponse =
  | { readonly status: 'verification_required'; readonly message: string; readonly signUpToken: string }
  | ({ readonly status: 'signed_in' } & LoginResponse)
  | { readonly status: 'created'; readonly user: PublicUser }

/**
 * Registers a user. With an administrator's token in `caller`, creates the account immediately, in every mode. Otherwise the registration mode decides:
 * `verify` mails a link, and the account is created when it is confirmed (`verifyEmail` accepts `signUpToken` instead of the password); `instant` creates the
 * account and signs the user in; `admin` and `closed` reject the request.
 * @throws UserAlreadyExistsError (in modes that reveal it), MissingFieldError, SessionValidationError (an invalid token), registration_closed,
 * username_taken, input_invalid, overloaded
 */
export function registerUser(auth: Auth, input: RegisterRequest, caller: Caller = {}): Promise<RegisterResponse> {
  return raising({}, async () => {
    const engine = engineOf(auth)
    const { deps } = engine
    const request = readInput(registerSchema, input)
    if (await mayCreateUsers(engine, caller)) return createByAdministrator(engine, request, caller)

    const result = await signUp(deps, actorOf(deps, caller), request)
    if (result.status === 'created') return { status: 'signed_in', ...toLoginResponse(result.outcome) }
    const message = verificationRequired[deps.config.enumeration]
    return { status: result.status, message, signUpToken: result.signUpCookie }
  })
}

/** Signs a user in by `identifier`, `email` or `username` and password, and returns the pair of tokens. @throws the errors of loginUser */
export async function authenticateUser(auth: Auth, input: LoginRequest, caller: Caller = {}): Promise<TokenPair> {
  const { accessToken, refreshToken } = await loginUser(auth, input, caller)
  return { accessToken, refreshToken }
}

/**
 * Signs a user in by `identifier`, `email` or `username` and password. Reports that an account is inactive or unverified only if the password is correct.
 * @throws InvalidCredentialsError, MissingFieldError, PasswordChangeRequiredError, account_inactive, email_unverified, rate_limited, overloaded
 */
export function loginUser(auth: Auth, input: LoginRequest, caller: Caller = {}): Promise<LoginResponse> {
  return raising({}, async () => {
    const { deps } = engineOf(auth)
    const given = { ...readInput(loginSchema, input), kind: 'token', remember: false } as const
    return toLoginResponse(await signIn(deps, actorOf(deps, caller), given))
  })
}

/**
 * Replaces an initial password with the token of a `PasswordChangeRequiredError` and signs the user in. A rejected password does not consume the token.
 * @throws TokenError, also for the token of a browser's sign-in; input_invalid, rate_limited, overloaded; not_found with a user repository
 */
export function replaceInitialPassword(
  auth: Auth,
  input: ReplaceInitialPasswordRequest,
  caller: Caller = {},
): Promise<LoginResponse> {
  return raising({ token_invalid: TokenError }, async () => {
    const { deps } = ownUsers(auth)
    const given = { ...readInput(replaceInitialPasswordSchema, input), kind: 'token' } as const
    return toLoginResponse(await setNewPassword(deps, actorOf(deps, caller), given))
  })
}

/**
 * Revokes the session of an access token, even of an expired one, and with it the refresh token. Returns the username, or null if the account has none.
 * @throws NoAuthUserError if the token does not belong to a signed-in user
 */
export function logoutUser(auth: Auth, token: string): Promise<string | null> {
  return raising({ token_invalid: NoAuthUserError }, async () => {
    const { deps } = engineOf(auth)
    const { sid } = await deps.accessTokens.verify(String(token), { allowExpired: true })
    if (!(await deps.sessionCache.find(sid))) throw new NoAuthUserError()

    return (await signOut(deps, actorOf(deps), { accessToken: token })).username
  })
}

/** Returns a message for a client that signs out by deleting its own tokens. Invalidates nothing: see `logoutUser`. */
export function statelessLogout(): { readonly message: string } {
  return { message: sessionAnswers.signedOut }
}

/** Exchanges a refresh token for a new pair of tokens. A refresh token works once, and once more within the grace period. @throws TokenError */
export function refreshToken(auth: Auth, token: string): Promise<TokenPair> {
  return raising({ token_invalid: TokenError, user_not_found: TokenError }, async () => {
    const engine = engineOf(auth)
    const fresh = await refresh(engine.deps, actorOf(engine.deps), { refreshToken: String(token) })
    if (engine.deps.accounts.isExternal) await holderOf(engine, fresh.accessToken) // the repository may have deactivated the account
    return { accessToken: fresh.accessToken, refreshToken: fresh.refreshToken }
  })
}

/** Returns whether the caller's token permits them to create users. @throws SessionValidationError for an invalid token */
async function mayCreateUsers(engine: Engine, caller: Caller): Promise<boolean> {
  if (caller.token === undefined) return false

  const names = { token_invalid: SessionValidationError, user_not_found: SessionValidationError }
  const { me } = await raising(names, () => signedIn(engine, caller))
  return can(me, 'users.write')
}

async function createByAdministrator(
  engine: Engine,
  request: RegisterRequest,
  caller: Caller,
): Promise<RegisterResponse> {
  const { actor } = await signedIn(engine, caller)
  const user = engine.deps.accounts.isExternal
    ? await loadUser(engine.deps.store.db, await createExternal(engine, actor, newRepositoryUser(request)))
    : await createAccount(engine.deps, actor, request)
  return { status: 'created', user: toPublicUser(user) }
}

/** @throws PasswordChangeRequiredError */
function toLoginResponse(outcome: SignInOutcome): LoginResponse {
  if (outcome.status !== 'signed_in') throw new PasswordChangeRequiredError(outcome.ticket, outcome.expiresIn)
  const { credential, user } = outcome
  if (credential.kind !== 'token') throw new AuthError('internal') // every caller here requests tokens
  const { accessToken, refreshToken: text, expiresIn } = credential
  return { accessToken, refreshToken: text, expiresIn, user: toPublicUser(user) }
}
