import { AuthError } from '../kernel/errors.ts'
import type { SessionRow, UserRow } from '../store/schema.ts'
import type { Work } from '../store/unit-of-work.ts'
import { record } from './audit.ts'
import { type Claimant, noteSuccess } from './claimants.ts'
import type { Deps } from './deps.ts'
import { rememberDevice } from './devices.ts'
import { insertRefreshToken } from './refresh-tokens.ts'
import { endSession, insertSession, type Proof, type Session, type SessionOptions, toSession } from './sessions.ts'
import { updateUser } from './user-rows.ts'
import { loadUser, type User } from './users.ts'

/** A session that may exist, with the credential that goes to its holder once. */
export interface SignedIn {
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

/** What the transaction of a sign-in made; `finishSignIn` turns it into the answer. */
export interface StartedSession {
  readonly row: SessionRow
  readonly user: User
  readonly secret: string
  readonly deviceCookie: string
}

/** @throws account_inactive, email_unverified: what keeps somebody out who has just proved a factor */
export function assertMaySignIn(user: UserRow): void {
  if (user.is_active !== 1) throw new AuthError('account_inactive')
  if (user.email_verified_at === null && user.may_sign_in_unverified === 0) throw new AuthError('email_unverified')
}

/**
 * The one step in which every way to sign in ends: decides whether the proof suffices, and starts a session with a new id. The session that
 * asked, if any, ends (no fixation). `seen` is the account as it was proved: a reset or a deletion since then ends this sign-in. `claimant` is who gave the right password just now.
 * @throws invalid_credentials, account_inactive, email_unverified
 */
export async function startSession(
  deps: Deps,
  work: Work,
  seen: UserRow,
  proof: Proof,
  wish: SessionOptions,
  claimant?: Claimant,
): Promise<StartedSession> {
  const user = await admit(work, seen)
  assertMaySignIn(user)
  if (claimant) await noteSuccess(deps, work, claimant)

  const { principal } = work.actor
  if (principal?.kind === 'session' && (await endSession(work, principal.userId, principal.sessionId))) {
    await record(work, 'session.ended', principal.userId, { session_id: principal.sessionId, reason: 'replaced' })
  }
  const { row, token } = await insertSession(work, deps.config, user.id, proof, wish)
  const secret = wish.kind === 'cookie' ? token.text : await insertRefreshToken(work, row.id)
  const deviceCookie = await rememberDevice(deps, work, seen, row.id)
  await record(work, 'session.started', user.id, { session_id: row.id, methods: proof.methods, kind: wish.kind })
  return { row, user: await loadUser(work.db, user), secret, deviceCookie }
}

/** Notes the sign-in on the account, which holds its row until the unit of work ends: whoever ends its sessions meanwhile comes before or after. */
async function admit(work: Work, seen: UserRow): Promise<UserRow> {
  const user = await updateUser(work, seen.id, { last_login_at: work.now })
  if (user?.password_hash !== seen.password_hash) throw new AuthError('invalid_credentials')
  if (user.recovery_since !== null) throw new AuthError('invalid_credentials') // only the mailed link opens it: see startRecovery
  return user
}

/** Signs the access token of a started session, outside its transaction. */
export async function finishSignIn(deps: Deps, started: StartedSession): Promise<SignedIn> {
  const { row, user, secret, deviceCookie } = started
  const common = { user, session: toSession(row, deps.config), remember: row.remember === 1, deviceCookie }
  if (row.kind === 'cookie') return { ...common, credential: { kind: 'cookie', text: secret } }

  const access = await deps.accessTokens.sign({ userId: user.id, sessionId: row.id, roles: user.roles })
  return {
    ...common,
    credential: { kind: 'token', accessToken: access.text, expiresIn: access.expiresIn, refreshToken: secret },
  }
}
