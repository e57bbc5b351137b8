import type { Kysely } from 'kysely'

/** Adds accounts in recovery, links bound to the session that requested them, and links that undo what was added since an instant. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const schema = db.schema

  await schema.alterTable('users').addColumn('recovery_since', 'bigint').execute()

  await schema
    .alterTable('one_time_tokens')
    .addColumn('session_id', 'varchar(22)', (column) => column.references('sessions.id').onDelete('cascade'))
    .execute()
  await schema.alterTable('one_time_tokens').addColumn('since', 'bigint').execute()
  await schema.createIndex('one_time_tokens_session').on('one_time_tokens').column('session_id').execute()
}
