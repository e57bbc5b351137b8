import { AuthError } from '../kernel/errors.ts'
import type { UserId } from '../kernel/ids.ts'
import type { Role, UserRow } from '../store/schema.ts'
import type { ReadDb } from '../store/store.ts'
import type { Work } from '../store/unit-of-work.ts'
import { lockUser } from './user-rows.ts'

/**
 * Checks that an account may be deleted, deactivated or stripped of its role. Locks the account until the unit of work ends and returns its current row, or
 * undefined if it no longer exists. A unit of work calls this once, before its other writes.
 * @throws last_administrator
 */
export async function lockForRemoval(work: Work, userId: UserId): Promise<UserRow | undefined> {
  const user = await lockUser(work, userId)
  if (user?.is_active === 1 && (await isAdministrator(work.db, userId))) await assertAnotherRemains(work, userId)

  work.allowRemoval()
  return user
}

/** Grants a role to an account. Returns false if it already has the role. */
export async function grantRole(work: Work, userId: UserId, role: Role): Promise<boolean> {
  work.changed([userId])
  const added = await work.db
    .insertInto('user_roles')
    .values({ user_id: userId, role })
    .onConflict((conflict) => conflict.doNothing())
    .returning('role')
    .executeTakeFirst()
  return added !== undefined
}

async function isAdministrator(db: ReadDb, userId: UserId): Promise<boolean> {
  const role = await db
    .selectFrom('user_roles')
    .select('role')
    .where('user_id', '=', userId)
    .where('role', '=', 'administrator')
    .executeTakeFirst()
  return role !== undefined
}

/** Counts all administrators under one lock, because two who leave at the same time would each count the other. */
async function assertAnotherRemains(work: Work, userId: UserId): Promise<void> {
  await lockAdministrators(work)
  const other = await work.db
    .selectFrom('user_roles')
    .innerJoin('users', 'users.id', 'user_roles.user_id')
    .select('users.id')
    .where('user_roles.role', '=', 'administrator')
    .where('users.is_active', '=', 1)
    .where('users.id', '!=', userId)
    .limit(1)
    .executeTakeFirst()
  if (!other) throw new AuthError('last_administrator')
}

/** Waits for every other unit of work that removes an administrator. The lock is a row of `jobs` that is never due. */
async function lockAdministrators({ db }: Work): Promise<void> {
  await db
    .insertInto('jobs')
    .values({ name: 'last-administrator', due_at: 0, ran_at: null })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ due_at: 0 }))
    .execute()
}
