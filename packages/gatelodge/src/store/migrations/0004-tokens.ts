import type { Kysely } from 'kysely'

/** Adds signing key rotation, service clients, API tokens, and access tokens revoked before they expire. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const schema = db.schema

  await schema
    .alterTable('signing_keys')
    .addColumn('activates_at', 'bigint', (column) => column.notNull().defaultTo(0))
    .execute()
  await schema.alterTable('signing_keys').renameColumn('retired_at', 'retires_at').execute()
  await schema.createIndex('signing_keys_retirement').on('signing_keys').column('retires_at').execute()

  await schema
    .createTable('service_clients')
    .addColumn('id', 'varchar(64)', (column) => column.primaryKey())
    .addColumn('name', 'varchar(64)', (column) => column.notNull().unique())
    .addColumn('secret_hash', 'varchar(43)', (column) => column.notNull())
    .addColumn('scopes', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()

  await schema
    .createTable('api_tokens')
    .addColumn('id', 'varchar(22)', (column) => column.primaryKey())
    .addColumn('user_id', 'varchar(36)', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('name', 'varchar(64)', (column) => column.notNull())
    .addColumn('secret_hash', 'varchar(43)', (column) => column.notNull())
    .addColumn('scopes', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('last_used_at', 'bigint')
    .execute()
  await schema.createIndex('api_tokens_user').on('api_tokens').column('user_id').execute()
  await schema.createIndex('api_tokens_expiry').on('api_tokens').column('expires_at').execute()

  await schema
    .createTable('revoked_tokens')
    .addColumn('jti', 'varchar(64)', (column) => column.primaryKey())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await schema.createIndex('revoked_tokens_expiry').on('revoked_tokens').column('expires_at').execute()
}
