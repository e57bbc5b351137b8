import type { Instant } from '../kernel/clock.ts'
import type { UserId } from '../kernel/ids.ts'
import type { ProfileRow, UserRow } from '../store/schema.ts'
import type { Work } from '../store/unit-of-work.ts'

/** Every column of a new account except those that start empty. */
export type NewUserRow = Omit<UserRow, 'username' | 'avatar_url' | 'created_at' | 'last_login_at' | 'recovery_since'>

type UserColumns = Partial<Omit<UserRow, 'id' | 'created_at'>>

/**
 * Inserts an account with its profile. This module is the only one that writes `users` and `profiles`.
 * @throws email_taken if the address or the id belongs to another account: see `lostKey`
 */
export async function insertUser(work: Work, user: NewUserRow, locale: string | null): Promise<UserRow> {
  const row = await work.db
    .insertInto('users')
    .values({ ...user, username: null, avatar_url: null, created_at: work.now, last_login_at: null })
    .returningAll()
    .executeTakeFirstOrThrow()
  await work.db
    .insertInto('profiles')
    .values({ user_id: row.id, phone_number: null, website: null, github_link: null, birth_date: null, locale })
    .execute()
  return row
}

/** Returns the columns of an account whose address was proved at `now`. */
export function proved(now: Instant) {
  return { email_verified_at: now, signup_browser_hash: null, may_sign_in_unverified: 0 } as const
}

/** Sets columns of an account if it still is as `seen` says. Returns the updated row, or undefined. */
export async function updateUser(
  work: Work,
  id: UserId,
  columns: UserColumns,
  seen: Pick<UserColumns, 'email' | 'password_hash'> = {},
): Promise<UserRow | undefined> {
  work.changed([id])
  return work.db
    .updateTable('users')
    .set(columns)
    .where('id', '=', id)
    .$if(seen.email !== undefined, (query) => query.where('email', '=', seen.email ?? ''))
    .$if(seen.password_hash !== undefined, (query) => query.where('password_hash', '=', seen.password_hash ?? null))
    .returningAll()
    .executeTakeFirst()
}

/** Sets columns of a profile. */
export async function updateProfileRow(
  work: Work,
  id: UserId,
  columns: Partial<Omit<ProfileRow, 'user_id'>>,
): Promise<void> {
  work.changed([id])
  await work.db.updateTable('profiles').set(columns).where('user_id', '=', id).execute()
}

/**
 * Returns the current row of an account and locks it until the unit of work ends. Units of work that end its sessions or change its password wait for that, and
 * the next one sees their changes.
 */
export async function lockUser(work: Work, id: UserId): Promise<UserRow | undefined> {
  work.changed([]) // an update that changes nothing is the row lock that both engines have
  return work.db
    .updateTable('users')
    .set((eb) => ({ is_active: eb.ref('is_active') }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
}

/** Deletes an account with everything that refers to it. See `deleteUser`. */
export async function deleteUserRow(work: Work, id: UserId): Promise<void> {
  work.changed([id])
  await work.db.deleteFrom('users').where('id', '=', id).execute()
}
