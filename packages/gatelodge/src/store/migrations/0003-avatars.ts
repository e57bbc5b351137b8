import type { Kysely } from 'kysely'

/** Names of pictures whose files go when they are due: those on their way into an account, and those that an account gave up. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('avatar_removals')
    .addColumn('name', 'varchar(32)', (column) => column.primaryKey())
    .addColumn('due_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('avatar_removals_due').on('avatar_removals').column('due_at').execute()
}
