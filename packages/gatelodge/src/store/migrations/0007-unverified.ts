import { type Kysely, sql } from 'kysely'

/** Adds a column for accounts that may sign in before their email address is verified. Previously the hash of a sign-up cookie implied it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('users')
    .addColumn('may_sign_in_unverified', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
  // Has no parameters, so that `migrate plan` can print it.
  await sql`update users set may_sign_in_unverified = 1 where signup_browser_hash is not null`.execute(db)
}
