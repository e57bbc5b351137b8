import type { Actor } from '../kernel/actor.ts'
import type { Instant } from '../kernel/clock.ts'
import { type NewToken, newId, parseToken, sameText, tokenOf } from '../kernel/ids.ts'
import type { Keyring } from '../kernel/sealing.ts'
import type { UsernameRow } from '../store/schema.ts'
import type { Work } from '../store/unit-of-work.ts'
import { counterKey } from './limits.ts'

/** A name that is kept for the sign-ups of an address. */
export interface Reservation {
  readonly username: string
  readonly email: string
  readonly expiresAt: Instant
}

/** Names that one address keeps at a time. A sign-up beyond gets its name when it is confirmed, if that is still free. */
const mostReserved = 3

/**
 * The reservation of a name that the asking browser holds by its sign-up cookie. The cookie itself proves that: sign-ups of an address are removed when it
 * gets an account, so a look at their rows would tell the browser of that.
 */
export function reservationHeldBy(
  keyring: Keyring,
  actor: Actor,
  row: UsernameRow | undefined,
): Reservation | undefined {
  const cookie = actor.signUpCookie === null ? undefined : parseToken(actor.signUpCookie)
  if (!cookie || !row || row.email === null || row.expires_at === null) return undefined

  const reservation = { username: row.username, email: row.email, expiresAt: row.expires_at }
  return sameText(cookie.secret, secretOf(keyring, cookie.id, reservation)) ? reservation : undefined
}

/** The sign-up cookie that holds a reservation. */
export function tokenFor(work: Work, reservation: Reservation): NewToken {
  const id = newId(work.random)
  return tokenOf(id, secretOf(work.keyring, id, reservation))
}

function secretOf(keyring: Keyring, id: string, { username, email, expiresAt }: Reservation): string {
  return keyring.mac('signup', JSON.stringify([id, username, email, expiresAt]))
}

/**
 * Takes one of the places that an address has for reserved names, or goes on with that of `own`; false when none is left. Sign-ups of the address take turns
 * here. A place is not the row of its name: what becomes of the name must not be told by the places that are left.
 */
export async function takePlace(work: Work, wish: Reservation, own: Reservation | undefined): Promise<boolean> {
  const { email, expiresAt } = wish
  const taken = await lockPlaces(work, email)
  const kept = own?.email === email ? taken.find((place) => place.expires_at === own.expiresAt)?.key : undefined
  const key = kept ?? placesOf(work, email).find((free) => !taken.some((place) => place.key === free))
  if (key === undefined) return false

  await work.db
    .insertInto('limit_counters')
    .values({ key, count: 1, since: work.now, blocked_until: 0, expires_at: expiresAt })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ since: work.now, expires_at: expiresAt }))
    .execute()
  return true
}

/**
 * Gives back the place of a sign-up that became an account, if the address has no other: an address of an account has as many as one without. Beside others
 * it stays taken to its end, or those who took them would see the confirmation.
 */
export async function leaveLonePlace(work: Work, email: string, expiresAt: Instant): Promise<void> {
  const [place, ...others] = await lockPlaces(work, email)
  if (place?.expires_at !== expiresAt || others.length > 0) return

  await work.db.deleteFrom('limit_counters').where('key', '=', place.key).execute()
}

/** Holds the places of an address and answers those that are taken. The row of the first one is the lock of all. */
async function lockPlaces(work: Work, email: string): Promise<{ key: string; expires_at: Instant }[]> {
  const { db, now } = work
  const keys = placesOf(work, email)
  const [key = ''] = keys
  await db
    .insertInto('limit_counters')
    .values({ key, count: 1, since: now, blocked_until: 0, expires_at: now })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ count: 1 }))
    .execute()
  return db
    .selectFrom('limit_counters')
    .select(['key', 'expires_at'])
    .where('key', 'in', keys)
    .where('expires_at', '>', now)
    .execute()
}

function placesOf(work: Work, email: string): string[] {
  return Array.from({ length: mostReserved }, (_, place) => counterKey(work, { name: `reserved_name.${place}` }, email))
}
