import type { Actor } from '../kernel/actor.ts'
import type { Instant } from '../kernel/clock.ts'
import { type NewToken, newId, parseToken, sameText, tokenOf } from '../kernel/ids.ts'
import type { Keyring } from '../kernel/sealing.ts'
import type { UsernameRow } from '../store/schema.ts'
import type { Work } from '../store/unit-of-work.ts'
import { counterKey } from './limits.ts'

/** A username that is reserved for the sign-ups of an address. */
export interface Reservation {
  readonly username: string
  readonly email: string
  readonly expiresAt: Instant
}

/** The most names reserved for one address at a time. A further sign-up gets its name when it is confirmed, if it is still free. */
const mostReserved = 3

/**
 * Returns the reservation of a name that the requesting browser holds through its sign-up cookie. The cookie itself is the proof: the sign-ups of an address
 * are deleted when it gets an account, so looking at their rows would reveal that to the browser.
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

/** Returns the sign-up cookie that holds a reservation. */
export function tokenFor(work: Work, reservation: Reservation): NewToken {
  const id = newId(work.random)
  return tokenOf(id, secretOf(work.keyring, id, reservation))
}

function secretOf(keyring: Keyring, id: string, { username, email, expiresAt }: Reservation): string {
  return keyring.mac('signup', JSON.stringify([id, username, email, expiresAt]))
}

/**
 * Takes one of an address's places for reserved names, or continues with the place of `own`. Returns false if none is left. Sign-ups of the address are
 * serialised here. A place is separate from the row of its name, because the number of free places must not reveal what becomes of the name.
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
 * Frees the place of a sign-up that became an account, if the address has no other, so that an address with an account has as many places as one without. If
 * there are others, the place stays taken until it expires; otherwise those who took them would notice the confirmation.
 */
export async function leaveLonePlace(work: Work, email: string, expiresAt: Instant): Promise<void> {
  const [place, ...others] = await lockPlaces(work, email)
  if (place?.expires_at !== expiresAt || others.length > 0) return

  await work.db.deleteFrom('limit_counters').where('key', '=', place.key).execute()
}

/** Locks the places of an address and returns those that are taken. The first row is the lock for all. */
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
