import type { Kysely } from 'kysely'

/** Adds the queue of picture files to delete when due: uploads that are not yet part of an account, and pictures that an account no longer uses. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('avatar_removals')
    .addColumn('name', 'varchar(32)', (column) => column.primaryKey())
    .addColumn('due_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('avatar_removals_due').on('avatar_removals').column('due_at').execute()
}
