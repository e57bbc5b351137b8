import type { Kysely } from 'kysely'

/** Several processes on one database: mails are claimed with a lease, and jobs that run once say when they are due. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const schema = db.schema

  await schema.alterTable('mails').addColumn('lease', 'varchar(22)').execute()
  await schema.alterTable('mails').addColumn('leased_until', 'bigint').execute()

  await schema
    .createTable('jobs')
    .addColumn('name', 'varchar(32)', (column) => column.primaryKey())
    .addColumn('due_at', 'bigint', (column) => column.notNull())
    .addColumn('ran_at', 'bigint')
    .execute()
}
