import { AuthError } from '../kernel/errors.ts'
import type { SessionRow, SignInStep, UserRow } from '../store/schema.ts'
import type { Work } from '../store/unit-of-work.ts'
import { record } from './audit.ts'
import { type Claimant, noteSuccess } from './claimants.ts'
import type { Deps } from './deps.ts'
import { rememberDevice } from './devices.ts'
import { insertRefreshToken } from './refresh-tokens.ts'
import { endSession, insertSession, type Proof, type Session, type SessionOptions, toSession } from './sessions.ts'
import { issueTicket } from './sign-in-tickets.ts'
import { lockUser, updateUser } from './user-rows.ts'
import { loadUser, type User } from './users.ts'

/** The outcome of a sign-in: a session, or another step that is required first. */
export type SignInOutcome = SignedIn | StepRequired

/** A new session with its credential, which only this response contains. */
export interface SignedIn {
  readonly status: 'signed_in'
  readonly user: User
  readonly session: Session
  readonly remember: boolean
  readonly credential:
    | { readonly kind: 'cookie'; readonly text: string }
    | {
        readonly kind: 'token'
        readonly accessToken: string
        readonly expiresIn: number
        readonly refreshToken: string
      }
  readonly deviceCookie: string
}

/** A step that is required before a session starts. The ticket is a credential for this step only: see `sign-in-tickets.ts`. */
export interface StepRequired {
  readonly status: SignInStep
  readonly ticket: string
  /** The address of the account, for password managers. */
  readonly account: string
  /** In seconds. */
  readonly expiresIn: number
}

/** What the transaction of a sign-in stored. `finishSignIn` turns it into the outcome. */
export type SignInDecision = StartedSession | StepRequired

interface StartedSession {
  readonly status: 'signed_in'
  readonly row: SessionRow
  readonly user: User
  readonly secret: string
  readonly deviceCookie: string
}

/** A condition for a session. `run` returns the step that is missing, or throws if the account may not sign in. */
interface SignInCheck {
  readonly name: string
  readonly run: (user: UserRow, proof: Proof) => SignInStep | undefined
}

/** The conditions for a session, in the order of their checks. Every way to sign in runs all of them. */
const signInChecks: readonly SignInCheck[] = [
  {
    name: 'the account is active',
    run(user) {
      if (user.is_active !== 1) throw new AuthError('account_inactive')
      return undefined
    },
  },
  {
    name: 'the address is verified',
    run(user) {
      if (user.email_verified_at === null && user.may_sign_in_unverified === 0) throw new AuthError('email_unverified')
      return undefined
    },
  },
  {
    name: 'the password is not an initial one',
    run: (user, proof) =>
      user.must_change_password === 1 && proof.methods.includes('pwd') ? 'password_change_required' : undefined,
  },
]

/**
 * Returns the step that is still required after a proof, or undefined if the proof is enough for a session.
 * @throws account_inactive, email_unverified
 */
export function nextSignInStep(user: UserRow, proof: Proof): SignInStep | undefined {
  for (const check of signInChecks) {
    const step = check.run(user, proof)
    if (step) return step
  }
  return undefined
}

/**
 * Decides whether a proof is enough for a session. Every way to sign in calls this last. Starts a session with a new ID, or issues a ticket for the missing
 * step. A new session replaces the session of the request, if any, which prevents session fixation. `seen` is the account that the proof was checked
 * against: if its password has changed or the account was deleted since then, the sign-in fails. `claimant` has just given the correct password.
 * @throws invalid_credentials, account_inactive, email_unverified
 */
export async function decideSignIn(
  deps: Deps,
  work: Work,
  seen: UserRow,
  proof: Proof,
  options: SessionOptions,
  claimant?: Claimant,
): Promise<SignInDecision> {
  const user = await holdProved(work, seen, proof)
  const step = nextSignInStep(user, proof)
  if (claimant) await noteSuccess(deps, work, claimant)
  if (!step) return startSession(deps, work, { seen, user }, proof, options)

  const { text, expiresAt } = await issueTicket(work, user, step, proof, options)
  await record(work, 'signin.step_required', user.id, { step })
  return { status: step, ticket: text, account: user.email, expiresIn: Math.floor((expiresAt - work.now) / 1000) }
}

/** Locks the account until the unit of work ends. Records the time of a sign-in that leads to a session. @throws invalid_credentials if the password changed */
async function holdProved(work: Work, seen: UserRow, proof: Proof): Promise<UserRow> {
  const user = nextSignInStep(seen, proof)
    ? await lockUser(work, seen.id)
    : await updateUser(work, seen.id, { last_login_at: work.now })
  if (user?.password_hash !== seen.password_hash) throw new AuthError('invalid_credentials')
  if (user.recovery_since !== null) throw new AuthError('invalid_credentials') // only the mailed link ends the recovery: see startRecovery
  return user
}

async function startSession(
  deps: Deps,
  work: Work,
  { seen, user }: { readonly seen: UserRow; readonly user: UserRow },
  proof: Proof,
  options: SessionOptions,
): Promise<StartedSession> {
  const { principal } = work.actor
  if (principal?.kind === 'session' && (await endSession(work, principal.userId, principal.sessionId))) {
    await record(work, 'session.ended', principal.userId, { session_id: principal.sessionId, reason: 'replaced' })
  }
  const { row, token } = await insertSession(work, deps.config, user.id, proof, options)
  const secret = options.kind === 'cookie' ? token.text : await insertRefreshToken(work, row.id)
  const deviceCookie = await rememberDevice(deps, work, seen, row.id)
  await record(work, 'session.started', user.id, { session_id: row.id, methods: proof.methods, kind: options.kind })
  return { status: 'signed_in', row, user: await loadUser(work.db, user), secret, deviceCookie }
}

/** Returns the outcome of a decision, after its transaction: signs the access token of a new token session. */
export async function finishSignIn(deps: Deps, decision: SignInDecision): Promise<SignInOutcome> {
  if (decision.status !== 'signed_in') return decision

  const { status, row, user, secret, deviceCookie } = decision
  const common = { status, user, session: toSession(row, deps.config), remember: row.remember === 1, deviceCookie }
  if (row.kind === 'cookie') return { ...common, credential: { kind: 'cookie', text: secret } }

  const access = await deps.accessTokens.sign({ userId: user.id, sessionId: row.id, roles: user.roles })
  return {
    ...common,
    credential: { kind: 'token', accessToken: access.text, expiresIn: access.expiresIn, refreshToken: secret },
  }
}
