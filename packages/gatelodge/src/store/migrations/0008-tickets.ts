import type { Kysely } from 'kysely'

/** Sign-ins that need another step before there is a session, and accounts whose initial password must be replaced. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const schema = db.schema

  await schema
    .alterTable('users')
    .addColumn('must_change_password', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()

  await schema
    .createTable('sign_in_tickets')
    .addColumn('id', 'varchar(22)', (column) => column.primaryKey())
    .addColumn('user_id', 'varchar(36)', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('step', 'varchar(32)', (column) => column.notNull())
    .addColumn('secret_hash', 'varchar(43)', (column) => column.notNull())
    .addColumn('account_state', 'varchar(43)', (column) => column.notNull())
    .addColumn('methods', 'text', (column) => column.notNull())
    .addColumn('assurance', 'varchar(4)', (column) => column.notNull())
    .addColumn('kind', 'varchar(8)', (column) => column.notNull())
    .addColumn('remember', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await schema.createIndex('sign_in_tickets_user').on('sign_in_tickets').column('user_id').execute()
  await schema.createIndex('sign_in_tickets_expiry').on('sign_in_tickets').column('expires_at').execute()
}
