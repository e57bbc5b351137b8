import type { Instant } from '../kernel/clock.ts'
import { AuthError } from '../kernel/errors.ts'
import type { UserId } from '../kernel/ids.ts'
import type { ReadDb } from '../store/store.ts'
import type { Work } from '../store/unit-of-work.ts'

/** Who may see a reserved name as free: the sign-ups of this address. */
export interface NameSeeker {
  readonly email?: string
}

/** Whether a name is free for the seeker: no account has it and no other address keeps it. */
export async function isUsernameFree(db: ReadDb, username: string, seeker: NameSeeker, now: Instant): Promise<boolean> {
  const row = await db.selectFrom('usernames').selectAll().where('username', '=', username).executeTakeFirst()
  if (!row) return true
  if (row.user_id !== null) return false
  return row.email === seeker.email || (row.expires_at ?? 0) <= now
}

/** Keeps a name for the sign-ups of an address until `expiresAt`. @throws username_taken */
export async function reserveUsername(work: Work, username: string, email: string, expiresAt: Instant): Promise<void> {
  const row = await work.db
    .insertInto('usernames')
    .values({ username, user_id: null, email, expires_at: expiresAt })
    .onConflict((conflict) =>
      conflict
        .column('username')
        .doUpdateSet({ email, expires_at: expiresAt })
        .where('usernames.user_id', 'is', null)
        .where((eb) => eb.or([eb('usernames.email', '=', email), eb('usernames.expires_at', '<=', work.now)])),
    )
    .returning('username')
    .executeTakeFirst()
  if (!row) throw new AuthError('username_taken')
}

/**
 * Gives a name to an account, in place of its former one; a reservation of `email`, or an expired one, gives way. The account must be locked: it has one
 * name. @throws username_taken
 */
export async function takeUsername(work: Work, userId: UserId, email: string, username: string): Promise<void> {
  await work.db.deleteFrom('usernames').where('user_id', '=', userId).execute()
  const row = await work.db
    .insertInto('usernames')
    .values({ username, user_id: userId, email: null, expires_at: null })
    .onConflict((conflict) =>
      conflict
        .column('username')
        .doUpdateSet({ user_id: userId, email: null, expires_at: null })
        .where('usernames.user_id', 'is', null)
        .where((eb) => eb.or([eb('usernames.email', '=', email), eb('usernames.expires_at', '<=', work.now)])),
    )
    .returning('username')
    .executeTakeFirst()
  if (!row) throw new AuthError('username_taken')

  await work.db.updateTable('users').set({ username }).where('id', '=', userId).execute()
  work.changed([userId])
}

/** Takes an account's name away. */
export async function dropUsername(work: Work, userId: UserId): Promise<void> {
  await work.db.deleteFrom('usernames').where('user_id', '=', userId).execute()
  await work.db.updateTable('users').set({ username: null }).where('id', '=', userId).execute()
  work.changed([userId])
}
