import type { Kysely } from 'kysely'

/**
 * Supports several processes on one database: mails are claimed with a lease, one row per job stores when it is due, and clean-up uses indexes. Sign-ups
 * store their language.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const schema = db.schema

  await schema.alterTable('mails').addColumn('lease', 'varchar(22)').execute()
  await schema.alterTable('mails').addColumn('leased_until', 'bigint').execute()
  await schema.alterTable('pending_signups').addColumn('language', 'varchar(16)').execute()

  await schema
    .createTable('jobs')
    .addColumn('name', 'varchar(32)', (column) => column.primaryKey())
    .addColumn('due_at', 'bigint', (column) => column.notNull())
    .addColumn('ran_at', 'bigint')
    .execute()

  // Clean-up finds old rows by index, and a session may accumulate many used refresh tokens until then.
  await schema.createIndex('mails_finished').on('mails').column('finished_at').execute()
  await schema.createIndex('email_reservations_expiry').on('email_reservations').column('expires_at').execute()
  await schema.dropIndex('refresh_tokens_session').execute()
  await schema
    .createIndex('refresh_tokens_secret')
    .on('refresh_tokens')
    .columns(['session_id', 'secret_hash'])
    .execute()
}
