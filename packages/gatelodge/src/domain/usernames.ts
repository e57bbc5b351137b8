import type { Actor } from '../kernel/actor.ts'
import { AuthError } from '../kernel/errors.ts'
import type { NewToken, UserId } from '../kernel/ids.ts'
import type { UsernameRow } from '../store/schema.ts'
import type { ReadDb } from '../store/store.ts'
import type { Work } from '../store/unit-of-work.ts'
import type { Deps } from './deps.ts'
import { leaveLonePlace, type Reservation, reservationHeldBy, takePlace, tokenFor } from './reserved-usernames.ts'
import { updateUser } from './user-rows.ts'

/**
 * Returns whether a name is free: no account has it, and no pending sign-up other than that of the requesting browser reserves it. Addresses do not matter, or
 * the answer would distinguish them.
 */
export async function isUsernameFree(deps: Deps, actor: Actor, username: string): Promise<boolean> {
  const row = await findUsername(deps.store.db, username)
  if (!row) return true
  return (
    (row.expires_at ?? Number.POSITIVE_INFINITY) <= deps.clock.now() ||
    reservationHeldBy(deps.keyring, actor, row) !== undefined
  )
}

/**
 * Reserves a name for the sign-ups of an address and returns the token by which their browser holds it; undefined if the address has reserved as many as it
 * may. A name that the requesting browser already holds moves to this sign-up.
 * @throws username_taken
 */
export async function reserveUsername(work: Work, reservation: Reservation): Promise<NewToken | undefined> {
  const { username, email, expiresAt } = reservation
  const own = reservationHeldBy(work.keyring, work.actor, await findUsername(work.db, username))
  if (!(await takePlace(work, reservation, own))) {
    if (own) await giveUp(work, own)
    return undefined
  }
  if (!(await write(work, { username, user_id: null, email, expires_at: expiresAt }, own?.email)))
    throw new AuthError('username_taken')
  return tokenFor(work, reservation)
}

/**
 * Gives an account a name and removes its former one. Replaces a reservation that the requesting browser holds, or an expired one. The account must be locked,
 * since it has one name.
 * @throws username_taken
 */
export async function takeUsername(work: Work, userId: UserId, username: string): Promise<void> {
  const own = reservationHeldBy(work.keyring, work.actor, await findUsername(work.db, username))
  await work.db.deleteFrom('usernames').where('user_id', '=', userId).execute()
  if (!(await give(work, userId, username, own?.email))) throw new AuthError('username_taken')
}

/** Gives an account the name that its sign-up requested. Returns false if another account has it by now: an address reserves only a few names. */
export async function claimUsername(
  work: Work,
  userId: UserId,
  { username, email, expiresAt }: Reservation,
): Promise<boolean> {
  await leaveLonePlace(work, email, expiresAt)
  return give(work, userId, username, email)
}

/** Removes an account's name. */
export async function dropUsername(work: Work, userId: UserId): Promise<void> {
  await work.db.deleteFrom('usernames').where('user_id', '=', userId).execute()
  await updateUser(work, userId, { username: null })
}

/** Frees the names that are reserved for sign-ups of these addresses. */
export async function releaseReservedNames(work: Work, emails: readonly string[]): Promise<void> {
  await work.db.deleteFrom('usernames').where('email', 'in', emails).execute()
}

async function findUsername(db: ReadDb, username: string): Promise<UsernameRow | undefined> {
  return db.selectFrom('usernames').selectAll().where('username', '=', username).executeTakeFirst()
}

async function giveUp({ db }: Work, { username, email, expiresAt }: Reservation): Promise<void> {
  await db
    .deleteFrom('usernames')
    .where('username', '=', username)
    .where('email', '=', email)
    .where('expires_at', '=', expiresAt)
    .execute()
}

async function give(work: Work, userId: UserId, username: string, reservedFor?: string): Promise<boolean> {
  if (!(await write(work, { username, user_id: userId, email: null, expires_at: null }, reservedFor))) return false

  await updateUser(work, userId, { username })
  return true
}

/** Writes the row of a name that is free, or whose reservation has expired or is for this address. Returns false if the name belongs to someone else. */
async function write(work: Work, row: UsernameRow, reservedFor = ''): Promise<boolean> {
  const { username, ...holder } = row
  const written = await work.db
    .insertInto('usernames')
    .values(row)
    .onConflict((conflict) =>
      conflict
        .column('username')
        .doUpdateSet(holder)
        .where('usernames.user_id', 'is', null)
        .where((eb) => eb.or([eb('usernames.email', '=', reservedFor), eb('usernames.expires_at', '<=', work.now)])),
    )
    .returning('username')
    .executeTakeFirst()
  return written !== undefined
}
