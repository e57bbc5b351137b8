import type { ExternalAccounts, NewAccount } from '../../domain/accounts.ts'
import { assertMayAsk, mayMailTo } from '../../domain/asks.ts'
import { record } from '../../domain/audit.ts'
import { decideSignIn, finishSignIn, type SignInOutcome } from '../../domain/authentication.ts'
import type { Deps } from '../../domain/deps.ts'
import { passwordProof } from '../../domain/factors/password.ts'
import { type Email, parseEmail } from '../../domain/identifiers/email.ts'
import { isOfficialName } from '../../domain/identifiers/official-names.ts'
import { parseUsername, type Username } from '../../domain/identifiers/username.ts'
import { readNames } from '../../domain/names.ts'
import { requestMail } from '../../domain/outbox.ts'
import { hashKey } from '../../domain/passwords/hash-key.ts'
import { assertPasswordAllowed } from '../../domain/passwords/policy.ts'
import { insertPendingSignup, makeRoomForSignup } from '../../domain/pending-signups.ts'
import { isUsernameFree, reserveUsername } from '../../domain/usernames.ts'
import { createUser, isEmailKnown } from '../../domain/users.ts'
import type { Actor } from '../../kernel/actor.ts'
import type { Instant } from '../../kernel/clock.ts'
import { AuthError, invalidField, readAll } from '../../kernel/errors.ts'
import { type NewToken, newToken } from '../../kernel/ids.ts'
import { transact, type Work } from '../../store/unit-of-work.ts'

export interface SignUp extends NewAccount {
  /** How the session of an account created immediately is delivered; a pair of tokens if absent. */
  readonly session?: 'cookie' | 'token' | undefined
}

export type SignUpResult =
  | { readonly status: 'verification_required'; readonly signUpCookie: string }
  | {
      readonly status: 'created'
      /** Null where the repository of the host program confirms addresses. */
      readonly signUpCookie: string | null
      readonly outcome: SignInOutcome
    }

/** A sign-up whose fields are in canonical form and allowed. */
interface Applicant {
  readonly email: Email
  readonly username: Username | null
  readonly firstName: string
  readonly lastName: string
  readonly passwordHash: string
}

/**
 * Signs up a user according to the registration mode: stores a pending sign-up and sends its link (`verify`), or creates the account immediately (`instant`).
 * In blind mode the rows and the answer are the same whether or not the address has an account.
 * @throws registration_closed, input_invalid, username_taken, email_taken, rate_limited, overloaded
 */
export async function signUp(deps: Deps, actor: Actor, input: SignUp): Promise<SignUpResult> {
  const mode = deps.config.registration
  if (mode === 'admin' || mode === 'closed') throw new AuthError('registration_closed')
  if (deps.accounts.isExternal) return createExternal(deps, actor, deps.accounts, input)

  const { password, ...person } = readSignUp(deps, input)
  if (person.username !== null && isOfficialName(person.username, deps.config.serviceName))
    throw new AuthError('username_taken')
  if (person.username !== null && !(await isUsernameFree(deps, actor, person.username)))
    throw new AuthError('username_taken')
  const tells = mode === 'instant' || deps.config.enumeration === 'explicit'
  if (tells && (await isEmailKnown(deps.store.db, person.email, deps.clock.now()))) throw new AuthError('email_taken')

  const { email, username, firstName, lastName } = person
  const texts = [email, email, email, email, username, username, firstName, lastName]
  await assertMayAsk(deps, actor, mode === 'instant' ? 'account' : 'signUp', texts)
  const passwordHash = await deps.hasher.hash(password, hashKey(actor))
  const applicant = { ...person, passwordHash }
  return mode === 'instant'
    ? createAtOnce(deps, actor, applicant, input.session ?? 'token')
    : storePending(deps, actor, applicant)
}

/** Validates a sign-up and returns its fields in canonical form. Reports all faults together. @throws input_invalid */
export function readSignUp(deps: Deps, input: SignUp): Omit<Applicant, 'passwordHash'> & { password: string } {
  const { password, email: address, username: name = null } = input
  const { passwordMinLength, serviceName } = deps.config
  const { firstName = '', lastName = '' } = readNames(input)
  const known = { email: address, username: name, firstName, lastName, serviceName }
  const [email, username] = readAll(
    () => parseEmail('email', address),
    () => readUsername(deps, input.username),
    () => assertPasswordAllowed('password', password, passwordMinLength, known),
  )
  return { email, username, firstName, lastName, password }
}

function readUsername(deps: Deps, username: string | undefined): Username | null {
  if (username === undefined) {
    if (deps.config.username === 'required') throw invalidField('username', 'required', 'This field is required')
    return null
  }
  if (deps.config.username === 'off') throw invalidField('username', 'unknown', 'Usernames are disabled on this server')
  return parseUsername('username', username)
}

async function storePending(deps: Deps, actor: Actor, applicant: Applicant): Promise<SignUpResult> {
  const cookie = await transact(deps, actor, async (work) => {
    const expiresAt = work.now + deps.config.verifyTtl
    await makeRoomForSignup(work, applicant.email)
    const cookie = (await reserve(work, applicant, expiresAt)) ?? newToken(work.random)
    await insertPendingSignup(work, {
      id: cookie.id,
      email: applicant.email,
      password_hash: applicant.passwordHash,
      username: applicant.username,
      first_name: applicant.firstName,
      last_name: applicant.lastName,
      browser_hash: cookie.hash,
      language: actor.language,
      expires_at: expiresAt,
    })
    if (await mayMailTo(deps, work, applicant.email)) {
      await requestMail(work, 'signup', { email: applicant.email, signupId: cookie.id })
    }
    await record(work, 'signup.requested', null, { mode: 'verify' })
    return cookie
  })
  return { status: 'verification_required', signUpCookie: cookie.text }
}

async function reserve(work: Work, { username, email }: Applicant, expiresAt: Instant): Promise<NewToken | undefined> {
  return username === null ? undefined : reserveUsername(work, { username, email, expiresAt })
}

async function createAtOnce(
  deps: Deps,
  actor: Actor,
  applicant: Applicant,
  kind: 'cookie' | 'token',
): Promise<SignUpResult> {
  const cookie = newToken(deps.random)
  const decision = await transact(deps, actor, async (work) => {
    const user = await createUser(work, {
      ...applicant,
      emailVerifiedAt: null,
      signupBrowserHash: cookie.hash,
      maySignInUnverified: true,
      locale: actor.language,
      by: 'signup',
    })
    await record(work, 'signup.requested', user.id, { mode: 'instant' })
    // The address is not proved: its mailbox, in all forms, gets no more emails than other strangers may cause. The user can request a link later.
    if (await mayMailTo(deps, work, applicant.email)) {
      await requestMail(work, 'welcome', { userId: user.id })
      await requestMail(work, 'verification', { email: user.email, signupId: null })
    }
    return decideSignIn(deps, work, user, passwordProof, { kind, remember: false })
  })
  return { status: 'created', signUpCookie: cookie.text, outcome: await finishSignIn(deps, decision) }
}

/** The repository of the host program decides on address, username and password. */
async function createExternal(
  deps: Deps,
  actor: Actor,
  accounts: ExternalAccounts,
  input: SignUp,
): Promise<SignUpResult> {
  const { claimant, transact: transactProved } = await accounts.create(deps, actor, input)
  const options = { kind: input.session ?? 'token', remember: false } as const
  const decision = await transactProved((work, user) => {
    return decideSignIn(deps, work, user, passwordProof, options, claimant)
  })
  return { status: 'created', signUpCookie: null, outcome: await finishSignIn(deps, decision) }
}
