import { record } from '../../domain/audit.ts'
import { type Claimant, stranger } from '../../domain/claimants.ts'
import type { Deps } from '../../domain/deps.ts'
import { attemptPassword, checkHash, type PasswordUse, withinPasswordDelay } from '../../domain/factors/password.ts'
import { consumeToken, findValidToken } from '../../domain/one-time-tokens.ts'
import { requestMail } from '../../domain/outbox.ts'
import { passwordDelay } from '../../domain/password-limits.ts'
import { hashKey } from '../../domain/passwords/hash-key.ts'
import { proved, updateUser } from '../../domain/user-rows.ts'
import { createUser, findUser, loadUser, type User } from '../../domain/users.ts'
import { type Actor, userIdOf } from '../../kernel/actor.ts'
import { AuthError, undefinedOn } from '../../kernel/errors.ts'
import { parseToken, sameText, sha256, type UserId } from '../../kernel/ids.ts'
import type { OneTimeTokenRow, PendingSignupRow, UserRow } from '../../store/schema.ts'
import { transact, type Work } from '../../store/unit-of-work.ts'

export interface VerifyEmail {
  readonly token: string
  /** The password chosen at sign-up. Required if the confirming browser is not the one that signed up. */
  readonly password?: string | undefined
}

/**
 * Confirms an address through its emailed link, once. A pending sign-up becomes an account. A browser other than the one that signed up must also give the
 * chosen password, so that an attacker cannot plant a password in an account that someone else confirms.
 * @throws token_invalid, password_required, incorrect_password (the link stays valid), rate_limited, overloaded
 */
export async function verifyEmail(deps: Deps, actor: Actor, input: VerifyEmail): Promise<User> {
  const token = await findValidToken(deps, ['verify_signup', 'verify_email'], input.token)
  return token.signup_id !== null
    ? confirmSignUp(deps, actor, input, token, token.signup_id)
    : confirmAccount(deps, actor, input, token, token.user_id as UserId) // a token has one owner, by its check constraint
}

/** Returns whether this browser must give the chosen password with the link. Does not consume the link. @throws token_invalid */
export async function needsChosenPassword(deps: Deps, actor: Actor, input: { token: string }): Promise<boolean> {
  const token = await findValidToken(deps, ['verify_signup', 'verify_email'], input.token)
  if (token.signup_id !== null)
    return !isSigningUpBrowser(actor, (await getPending(deps, token.signup_id)).browser_hash)

  const account = await getAccount(deps, token, token.user_id as UserId) // a token has one owner, by its check constraint
  return !isOwnBrowser(actor, account)
}

async function confirmSignUp(
  deps: Deps,
  actor: Actor,
  input: VerifyEmail,
  token: OneTimeTokenRow,
  signupId: string,
): Promise<User> {
  const pending = await getPending(deps, signupId)
  if (!isSigningUpBrowser(actor, pending.browser_hash)) {
    const password = required(input.password)
    const guesses = guessesAt(token)
    await withinPasswordDelay(deps, actor, guesses, async () => {
      if (!(await deps.hasher.verify(pending.password_hash, password, hashKey(actor))))
        throw new AuthError(guesses.code, { detail: guesses.detail })
    })
  }

  return transact(deps, actor, async (work) => {
    await consumeToken(work, 'verify_signup', input.token)
    const user = await createFrom(work, pending)
    await record(work, 'email.verified', user.id, {})
    await requestMail(work, 'welcome', { userId: user.id })
    return loadUser(work.db, user)
  })
}

/** Returns the pending sign-up of a token. @throws token_invalid */
async function getPending(deps: Deps, signupId: string): Promise<PendingSignupRow> {
  const pending = await deps.store.db
    .selectFrom('pending_signups')
    .selectAll()
    .where('id', '=', signupId)
    .executeTakeFirst()
  if (!pending) throw new AuthError('token_invalid')
  return pending
}

async function createFrom(work: Work, pending: PendingSignupRow): Promise<UserRow> {
  const account = {
    email: pending.email,
    emailVerifiedAt: work.now,
    username: pending.username,
    firstName: pending.first_name,
    lastName: pending.last_name,
    passwordHash: pending.password_hash,
    locale: pending.language,
    signupExpiresAt: pending.expires_at,
    by: 'signup',
  } as const
  const user = await undefinedOn('email_taken', () => createUser(work, account))
  // The address got an account in another way in the meantime: its older links are void.
  if (!user) throw new AuthError('token_invalid')
  return user
}

async function confirmAccount(
  deps: Deps,
  actor: Actor,
  input: VerifyEmail,
  token: OneTimeTokenRow,
  userId: UserId,
): Promise<User> {
  const account = await getAccount(deps, token, userId)
  if (!isOwnBrowser(actor, account)) {
    const password = required(input.password)
    const claimant = stranger(actor, account)
    const use = passwordOfLink(token, claimant)
    await withinPasswordDelay(deps, actor, use, () =>
      attemptPassword(deps, actor, use, () => checkHash(deps, claimant, password)),
    )
  }

  return transact(deps, actor, async (work) => {
    await consumeToken(work, 'verify_email', input.token)
    const user = await updateUser(work, userId, proved(work.now), { email: token.email })
    if (!user) throw new AuthError('token_invalid')
    await record(work, 'email.verified', userId, {})
    return loadUser(work.db, user)
  })
}

/** Returns the unverified account of a token. @throws token_invalid */
async function getAccount(deps: Deps, token: OneTimeTokenRow, userId: UserId): Promise<UserRow> {
  const account = await findUser(deps.store.db, userId)
  if (!account || account.email !== token.email) throw new AuthError('token_invalid')
  return account
}

/** Returns whether the account signed up, or is signed in, in this browser. */
function isOwnBrowser(actor: Actor, account: UserRow): boolean {
  return userIdOf(actor) === account.id || isSigningUpBrowser(actor, account.signup_browser_hash)
}

/** Returns how a password given with a link is checked: guesses count against the link and against the account. */
function passwordOfLink(token: OneTimeTokenRow, claimant: Claimant): PasswordUse {
  return { claimant, ...guessesAt(token), async recordFailure() {} }
}

/** Returns what guesses with a link count against, and the error for a wrong one. */
function guessesAt({ signup_id, user_id }: OneTimeTokenRow) {
  const subject = signup_id ?? user_id ?? ''
  return { delay: passwordDelay, subject, code: 'incorrect_password', detail: 'Incorrect password' } as const
}

/** Returns the password. @throws password_required if there is none */
function required(password: string | undefined): string {
  if (password === undefined) throw new AuthError('password_required')
  return password
}

/** Returns whether the sign-up cookie is the one given to the browser that signed up. */
function isSigningUpBrowser(actor: Actor, browserHash: string | null): boolean {
  const cookie = actor.signUpCookie === null ? undefined : parseToken(actor.signUpCookie)
  return cookie !== undefined && browserHash !== null && sameText(sha256(cookie.secret), browserHash)
}
