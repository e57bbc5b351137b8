import type { Instant } from '../kernel/clock.ts'
import type { UserId } from '../kernel/ids.ts'
import type { EmailReservationRow } from '../store/schema.ts'
import type { ReadDb } from '../store/store.ts'
import type { Work } from '../store/unit-of-work.ts'

/** Returns which account an address is reserved for, and until when. */
export async function findReservation(
  db: ReadDb,
  email: string,
  now: Instant,
): Promise<{ userId: UserId; expiresAt: Instant } | undefined> {
  return db
    .selectFrom('email_reservations')
    .select(['user_id as userId', 'expires_at as expiresAt'])
    .where('email', '=', email)
    .where('expires_at', '>', now)
    .executeTakeFirst()
}

/** Returns the live reservations of an account. */
export async function findReservationsOf(db: ReadDb, userId: UserId, now: Instant): Promise<EmailReservationRow[]> {
  return db
    .selectFrom('email_reservations')
    .selectAll()
    .where('user_id', '=', userId)
    .where('expires_at', '>', now)
    .execute()
}

/**
 * Reserves an address for `span` ms for its former owner, whose account is locked. It always expires after earlier reservations, whatever the clocks say,
 * because the order shows which change came later.
 */
export async function reserveEmail(work: Work, email: string, userId: UserId, span: number): Promise<void> {
  const { last } = await work.db
    .selectFrom('email_reservations')
    .select((eb) => eb.fn.max('expires_at').as('last'))
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow()
  const values = { user_id: userId, expires_at: Math.max(work.now + span, Number(last ?? 0) + 1) }
  await work.db
    .insertInto('email_reservations')
    .values({ email, ...values })
    .onConflict((conflict) => conflict.column('email').doUpdateSet(values))
    .execute()
}

/** Removes the reservations of these addresses. */
export async function removeReservations(work: Work, emails: readonly string[]): Promise<void> {
  await work.db.deleteFrom('email_reservations').where('email', 'in', emails).execute()
}
