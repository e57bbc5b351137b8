import { type Instant, minute } from '../kernel/clock.ts'
import { AuthError } from '../kernel/errors.ts'
import { newToken, parseToken, sameText, sha256, type UserId } from '../kernel/ids.ts'
import type { SignInStep, SignInTicketRow, UserRow } from '../store/schema.ts'
import type { ReadDb } from '../store/store.ts'
import type { Work } from '../store/unit-of-work.ts'
import type { Deps } from './deps.ts'
import type { Proof, SessionOptions } from './sessions.ts'
import { lockUser } from './user-rows.ts'
import { findUser } from './users.ts'

/** The time that a user has for the next step of a sign-in, in ms. */
export const ticketLife = 10 * minute
/** The maximum number of open tickets per account. A new one replaces the oldest. */
const mostTickets = 10

/** A sign-in that waits for its next step, with the proof given so far and the options of the requested session. */
export interface SignInTicket {
  readonly id: string
  readonly step: SignInStep
  readonly user: UserRow
  readonly proof: Proof
  readonly options: SessionOptions
}

/**
 * Creates a ticket `id.secret` for the next step of a sign-in. It works once, within `ticketLife`. A new password, a new address, a deactivation or a
 * recovery of the account invalidates it. It is not a session. The caller must hold the lock on the account.
 */
export async function issueTicket(
  work: Work,
  user: UserRow,
  step: SignInStep,
  proof: Proof,
  options: SessionOptions,
): Promise<{ text: string; expiresAt: Instant }> {
  await makeRoom(work, user)
  const token = newToken(work.random)
  const expiresAt = work.now + ticketLife
  await work.db
    .insertInto('sign_in_tickets')
    .values({
      id: token.id,
      user_id: user.id,
      step,
      secret_hash: token.hash,
      account_state: accountState(user),
      methods: JSON.stringify(proof.methods),
      assurance: proof.assurance,
      kind: options.kind,
      remember: options.remember ? 1 : 0,
      created_at: work.now,
      expires_at: expiresAt,
    })
    .execute()
  return { text: token.text, expiresAt }
}

/** Returns the sign-in of a valid ticket for this step. Does not consume the ticket. @throws token_invalid */
export async function findTicket(deps: Deps, step: SignInStep, text: string): Promise<SignInTicket> {
  const row = await findRow(deps.store.db, text)
  if (!row || row.step !== step || row.expires_at <= deps.clock.now()) throw new AuthError('token_invalid')

  const user = await findUser(deps.store.db, row.user_id)
  if (!user || accountState(user) !== row.account_state) throw new AuthError('token_invalid')
  return {
    id: row.id,
    step,
    user,
    proof: { methods: JSON.parse(row.methods) as string[], assurance: row.assurance },
    options: { kind: row.kind, remember: row.remember === 1 },
  }
}

/**
 * Consumes a ticket that `findTicket` returned, and locks its account. Of several parallel uses, one succeeds; if the account has changed in the meantime,
 * none does. @throws token_invalid
 */
export async function consumeTicket(work: Work, ticket: SignInTicket): Promise<UserRow> {
  const user = await lockUser(work, ticket.user.id)
  const consumed = await work.db
    .deleteFrom('sign_in_tickets')
    .where('id', '=', ticket.id)
    .where('expires_at', '>', work.now)
    .returning('account_state')
    .executeTakeFirst()
  if (!user || consumed?.account_state !== accountState(user)) throw new AuthError('token_invalid')
  return user
}

/** Deletes all tickets of an account. */
export async function revokeTickets(work: Work, userId: UserId): Promise<void> {
  await work.db.deleteFrom('sign_in_tickets').where('user_id', '=', userId).execute()
}

/** Deletes the oldest tickets of the account so that it has room for a new one. */
async function makeRoom(work: Work, user: UserRow): Promise<void> {
  const surplus = await work.db
    .selectFrom('sign_in_tickets')
    .select('id')
    .where('user_id', '=', user.id)
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .offset(mostTickets - 1)
    .limit(mostTickets)
    .execute()
  if (surplus.length === 0) return

  const ids = surplus.map(({ id }) => id)
  await work.db.deleteFrom('sign_in_tickets').where('id', 'in', ids).execute()
}

/** Returns a hash of everything about the account on which a ticket depends, so that the ticket stores no copy of it. */
function accountState(user: UserRow): string {
  return sha256(
    JSON.stringify([
      user.password_hash,
      user.email,
      user.email_verified_at,
      user.is_active,
      user.recovery_since,
      user.must_change_password,
    ]),
  )
}

async function findRow(db: ReadDb, text: string): Promise<SignInTicketRow | undefined> {
  const parts = parseToken(text)
  if (!parts) return undefined

  const row = await db.selectFrom('sign_in_tickets').selectAll().where('id', '=', parts.id).executeTakeFirst()
  return row && sameText(row.secret_hash, sha256(parts.secret)) ? row : undefined
}
