import { type Kysely, sql } from 'kysely'

/** Accounts that may sign in before their address is proved say so themselves; before, the hash of a sign-up cookie said it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('users')
    .addColumn('may_sign_in_unverified', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
  // Without parameters, so that `migrate plan` can print it.
  await sql`update users set may_sign_in_unverified = 1 where signup_browser_hash is not null`.execute(db)
}
