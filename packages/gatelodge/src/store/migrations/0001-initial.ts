import { type Kysely, sql } from 'kysely'

/** Creates the first schema: accounts, sign-ups, sessions, tokens, counters, events and mails. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const schema = db.schema

  await schema
    .createTable('users')
    .addColumn('id', 'varchar(36)', (column) => column.primaryKey())
    .addColumn('email', 'varchar(254)', (column) => column.notNull().unique())
    .addColumn('email_verified_at', 'bigint')
    .addColumn('username', 'varchar(255)', (column) => column.unique())
    .addColumn('first_name', 'text', (column) => column.notNull())
    .addColumn('last_name', 'text', (column) => column.notNull())
    .addColumn('password_hash', 'text')
    .addColumn('password_changed_at', 'bigint')
    .addColumn('is_active', 'integer', (column) => column.notNull().check(sql`is_active in (0, 1)`))
    .addColumn('is_staff', 'integer', (column) => column.notNull().check(sql`is_staff in (0, 1)`))
    .addColumn('avatar_url', 'text')
    .addColumn('signup_browser_hash', 'varchar(43)')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('last_login_at', 'bigint')
    .addCheckConstraint('users_email_canonical', sql`email = lower(email) and email like '%_@_%'`)
    .addCheckConstraint('users_username_no_at', sql`username not like '%@%'`)
    .execute()

  await schema
    .createTable('profiles')
    .addColumn('user_id', 'varchar(36)', (column) => column.primaryKey().references('users.id').onDelete('cascade'))
    .addColumn('phone_number', 'text')
    .addColumn('website', 'text')
    .addColumn('github_link', 'text')
    .addColumn('birth_date', 'varchar(10)')
    .addColumn('locale', 'varchar(35)')
    .execute()

  await schema
    .createTable('user_roles')
    .addColumn('user_id', 'varchar(36)', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('role', 'varchar(64)', (column) => column.notNull())
    .addPrimaryKeyConstraint('user_roles_pk', ['user_id', 'role'])
    .execute()

  await schema
    .createTable('usernames')
    .addColumn('username', 'varchar(255)', (column) => column.primaryKey())
    .addColumn('user_id', 'varchar(36)', (column) => column.unique().references('users.id').onDelete('cascade'))
    .addColumn('email', 'varchar(254)')
    .addColumn('expires_at', 'bigint')
    .addCheckConstraint(
      'usernames_one_owner',
      sql`(user_id is not null and email is null and expires_at is null) or (user_id is null and email is not null and expires_at is not null)`,
    )
    .execute()
  await schema.createIndex('usernames_expiry').on('usernames').column('expires_at').execute()

  await schema
    .createTable('email_reservations')
    .addColumn('email', 'varchar(254)', (column) => column.primaryKey())
    .addColumn('user_id', 'varchar(36)', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await schema.createIndex('email_reservations_user').on('email_reservations').column('user_id').execute()

  await schema
    .createTable('pending_signups')
    .addColumn('id', 'varchar(22)', (column) => column.primaryKey())
    .addColumn('email', 'varchar(254)', (column) => column.notNull())
    .addColumn('password_hash', 'text', (column) => column.notNull())
    .addColumn('username', 'varchar(255)')
    .addColumn('first_name', 'text', (column) => column.notNull())
    .addColumn('last_name', 'text', (column) => column.notNull())
    .addColumn('browser_hash', 'varchar(43)', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await schema.createIndex('pending_signups_email').on('pending_signups').columns(['email', 'created_at']).execute()
  await schema.createIndex('pending_signups_expiry').on('pending_signups').column('expires_at').execute()

  await schema
    .createTable('one_time_tokens')
    .addColumn('id', 'varchar(22)', (column) => column.primaryKey())
    .addColumn('purpose', 'varchar(32)', (column) => column.notNull())
    .addColumn('secret_hash', 'varchar(43)', (column) => column.notNull())
    .addColumn('user_id', 'varchar(36)', (column) => column.references('users.id').onDelete('cascade'))
    .addColumn('signup_id', 'varchar(22)', (column) => column.references('pending_signups.id').onDelete('cascade'))
    .addColumn('email', 'varchar(254)', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('spent_at', 'bigint')
    .addCheckConstraint('one_time_tokens_one_owner', sql`(user_id is null) <> (signup_id is null)`)
    .execute()
  await schema.createIndex('one_time_tokens_user').on('one_time_tokens').column('user_id').execute()
  await schema.createIndex('one_time_tokens_signup').on('one_time_tokens').column('signup_id').execute()
  await schema.createIndex('one_time_tokens_expiry').on('one_time_tokens').column('expires_at').execute()

  await schema
    .createTable('sessions')
    .addColumn('id', 'varchar(22)', (column) => column.primaryKey())
    .addColumn('user_id', 'varchar(36)', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('kind', 'varchar(6)', (column) => column.notNull().check(sql`kind in ('cookie', 'token')`))
    .addColumn('secret_hash', 'varchar(43)')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('last_seen_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('authenticated_at', 'bigint', (column) => column.notNull())
    .addColumn('methods', 'text', (column) => column.notNull())
    .addColumn('assurance', 'varchar(4)', (column) => column.notNull().check(sql`assurance in ('aal1', 'aal2')`))
    .addColumn('remember', 'integer', (column) => column.notNull().check(sql`remember in (0, 1)`))
    .addColumn('ip', 'varchar(45)')
    .addColumn('user_agent', 'text')
    .addCheckConstraint('sessions_secret', sql`(kind = 'cookie') = (secret_hash is not null)`)
    .execute()
  await schema.createIndex('sessions_user').on('sessions').columns(['user_id', 'created_at']).execute()
  await schema.createIndex('sessions_expiry').on('sessions').column('expires_at').execute()
  await schema.createIndex('sessions_last_seen').on('sessions').column('last_seen_at').execute()

  await schema
    .createTable('refresh_tokens')
    .addColumn('id', 'varchar(22)', (column) => column.primaryKey())
    .addColumn('session_id', 'varchar(22)', (column) => column.notNull().references('sessions.id').onDelete('cascade'))
    .addColumn('secret_hash', 'varchar(43)', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('spent_at', 'bigint')
    .addColumn('successor_sealed', 'text')
    .execute()
  await schema.createIndex('refresh_tokens_session').on('refresh_tokens').column('session_id').execute()
  await schema.createIndex('refresh_tokens_spent').on('refresh_tokens').column('spent_at').execute()

  await schema
    .createTable('known_devices')
    .addColumn('user_id', 'varchar(36)', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('device_id', 'varchar(22)')
    .addColumn('place', 'varchar(43)', (column) => column.notNull())
    .addColumn('last_seen_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('known_devices_pk', ['user_id', 'place'])
    .execute()
  await schema.createIndex('known_devices_age').on('known_devices').column('last_seen_at').execute()

  await schema
    .createTable('limit_counters')
    .addColumn('key', 'varchar(43)', (column) => column.primaryKey())
    .addColumn('count', 'integer', (column) => column.notNull())
    .addColumn('since', 'bigint', (column) => column.notNull())
    .addColumn('blocked_until', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await schema.createIndex('limit_counters_expiry').on('limit_counters').column('expires_at').execute()

  await schema
    .createTable('events')
    .addColumn('id', 'varchar(36)', (column) => column.primaryKey())
    .addColumn('name', 'varchar(64)', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('user_id', 'varchar(36)')
    .addColumn('actor_id', 'varchar(36)')
    .addColumn('session_id', 'varchar(22)')
    .addColumn('request_id', 'varchar(36)', (column) => column.notNull())
    .addColumn('ip', 'varchar(45)')
    .addColumn('user_agent', 'text')
    .addColumn('data', 'text', (column) => column.notNull())
    .execute()
  await schema.createIndex('events_user').on('events').columns(['user_id', 'at']).execute()
  await schema.createIndex('events_at').on('events').column('at').execute()

  await schema
    .createTable('mails')
    .addColumn('id', 'varchar(36)', (column) => column.primaryKey())
    .addColumn('kind', 'varchar(32)', (column) => column.notNull())
    .addColumn('state', 'varchar(9)', (column) =>
      column.notNull().check(sql`state in ('requested', 'sending', 'delivered', 'dropped', 'failed')`),
    )
    .addColumn('sealed', 'text')
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('next_attempt_at', 'bigint', (column) => column.notNull())
    .addColumn('last_error', 'text')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('finished_at', 'bigint')
    .execute()
  await schema.createIndex('mails_due').on('mails').columns(['state', 'next_attempt_at']).execute()

  await schema
    .createTable('signing_keys')
    .addColumn('kid', 'varchar(43)', (column) => column.primaryKey())
    .addColumn('alg', 'varchar(8)', (column) => column.notNull())
    .addColumn('public_jwk', 'text', (column) => column.notNull())
    .addColumn('private_sealed', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('retired_at', 'bigint')
    .execute()
}
