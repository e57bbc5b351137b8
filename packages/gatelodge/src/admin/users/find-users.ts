import { sql } from 'kysely'
import type { Deps } from '../../domain/deps.ts'
import { normaliseEmail } from '../../domain/identifiers/email.ts'
import { normaliseUsername } from '../../domain/identifiers/username.ts'
import {
  findUser,
  findUserByEmail,
  findUserByUsername,
  findWholeUser,
  findWholeUsers,
  type User,
} from '../../domain/users.ts'
import type { Actor } from '../../kernel/actor.ts'
import { AuthError } from '../../kernel/errors.ts'
import { isUuid, type UserId } from '../../kernel/ids.ts'
import type { UserRow } from '../../store/schema.ts'

/** Returns accounts whose address, username or name contains `search`, newest first. `more` says whether there are more than the limit. */
export async function findUsers(
  deps: Deps,
  _actor: Actor,
  input: { search?: string | undefined; limit: number },
): Promise<{ users: User[]; more: boolean }> {
  const pattern = `%${(input.search ?? '').toLowerCase().replaceAll(/[\\%_]/g, '\\$&')}%`
  const rows = await deps.store.db
    .selectFrom('users')
    .selectAll()
    .$if(input.search !== undefined, (query) =>
      query.where(
        sql<boolean>`lower(email || ' ' || coalesce(username, '') || ' ' || first_name || ' ' || last_name) like ${pattern} escape '\\'`,
      ),
    )
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(input.limit + 1)
    .execute()

  return { users: await findWholeUsers(deps.store.db, rows.slice(0, input.limit)), more: rows.length > input.limit }
}

/** Returns an account by its id, address or username, in the form that callers see. @throws user_not_found */
export async function getUserNamed(deps: Deps, _actor: Actor, who: string): Promise<User> {
  const user = await findWholeUser(deps.store.db, await getRowNamed(deps, who))
  if (!user) throw new AuthError('user_not_found')
  return user
}

/** Returns the row of an account by its id, address or username. @throws user_not_found */
export async function getRowNamed(deps: Deps, who: string): Promise<UserRow> {
  const row = await findNamed(deps, who)
  if (!row) throw new AuthError('user_not_found')
  return row
}

async function findNamed({ store }: Deps, who: string): Promise<UserRow | undefined> {
  if (isUuid(who)) return findUser(store.db, who as UserId)

  const email = normaliseEmail(who)
  if (email !== undefined) return findUserByEmail(store.db, email)

  const username = normaliseUsername(who)
  return username && findUserByUsername(store.db, username)
}
