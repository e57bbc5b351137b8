import { AuthError, type ErrorCode } from '../kernel/errors.ts'
import type { Schema } from './schema.ts'

/** Why two units of work cannot collide on a key. If they do, it is a bug, reported as an unexpected error. */
interface Impossible {
  readonly impossible: string
}

const random: Impossible = { impossible: 'ids are random' }
const upsert: Impossible = { impossible: 'the insert says what happens to a row that exists' }

/**
 * Every unique constraint of the schema: its PostgreSQL name, its columns, and the error for the caller if another row already has the key. Usually an
 * earlier check finds that row; this covers two units of work that run at the same time. A test compares the table with both databases.
 */
export const uniqueConstraints = {
  users: {
    users_pkey: ['id', 'email_taken'], // the user IDs of a host program come from its repository
    users_email_key: ['email', 'email_taken'],
    users_username_key: ['username', 'username_taken'],
  },
  profiles: { profiles_pkey: ['user_id', { impossible: 'created with its account' }] },
  user_roles: { user_roles_pk: ['user_id, role', upsert] },
  usernames: {
    usernames_pkey: ['username', 'username_taken'],
    usernames_user_id_key: ['user_id', { impossible: 'the account is locked while its username changes' }],
  },
  email_reservations: { email_reservations_pkey: ['email', upsert] },
  pending_signups: { pending_signups_pkey: ['id', random] },
  one_time_tokens: { one_time_tokens_pkey: ['id', random] },
  sessions: { sessions_pkey: ['id', random] },
  refresh_tokens: { refresh_tokens_pkey: ['id', random] },
  known_devices: { known_devices_pk: ['user_id, place', upsert] },
  limit_counters: { limit_counters_pkey: ['key', upsert] },
  events: { events_pkey: ['id', random] },
  mails: { mails_pkey: ['id', random] },
  signing_keys: { signing_keys_pkey: ['kid', { impossible: 'the hash of a new key' }] },
  service_clients: {
    service_clients_pkey: ['id', random],
    service_clients_name_key: ['name', 'input_invalid'],
  },
  api_tokens: { api_tokens_pkey: ['id', random] },
  sign_in_tickets: { sign_in_tickets_pkey: ['id', random] },
  revoked_tokens: { revoked_tokens_pkey: ['jti', upsert] },
  jobs: { jobs_pkey: ['name', upsert] },
  avatar_removals: {
    avatar_removals_pkey: ['name', { impossible: 'random names, each of one account, which is locked' }],
  },
} as const satisfies Record<keyof Schema, Readonly<Record<string, readonly [columns: string, ErrorCode | Impossible]>>>

/** The tables that reference others, with the error for the caller if the referenced row was deleted in the meantime. */
export const foreignKeys = {
  profiles: 'token_invalid',
  user_roles: 'user_not_found',
  usernames: 'token_invalid',
  email_reservations: 'token_invalid',
  one_time_tokens: 'token_invalid',
  sessions: 'token_invalid',
  refresh_tokens: 'token_invalid',
  known_devices: 'token_invalid',
  api_tokens: 'token_invalid',
  sign_in_tickets: 'invalid_credentials',
} as const satisfies Partial<Record<keyof Schema, ErrorCode>>

/** The constraint that rejected a row, for the log. Never contains the values. */
class Refused extends Error {
  readonly isUnique: boolean

  constructor(constraint: string, isUnique: boolean) {
    super(`refused by ${constraint}`)
    this.name = new.target.name
    this.isUnique = isUnique
  }
}

/** Returns whether another unit of work inserted the same unique key first. A retry sees its row. */
export function lostKey(error: unknown): boolean {
  return error instanceof AuthError && error.cause instanceof Refused && error.cause.isUnique
}

/** Returns the error for a violated unique constraint, given by its PostgreSQL name or as SQLite reports it (`users.email`). Returns undefined for a bug. */
export function uniqueViolation(constraint: string): AuthError | undefined {
  const code = codesOfKeys.get(constraint)
  return code && new AuthError(code, { cause: new Refused(constraint, true) })
}

/** Returns the error for a violated foreign key of a table. Returns undefined for a bug. */
export function foreignKeyViolation(table: string | undefined): AuthError | undefined {
  const code = codesOfReferences.get(table ?? '')
  return code && new AuthError(code, { cause: new Refused(`a foreign key of ${table}`, false) })
}

const codesOfReferences: ReadonlyMap<string, ErrorCode> = new Map(Object.entries(foreignKeys))
const codesOfKeys: ReadonlyMap<string, ErrorCode> = new Map(
  Object.entries(uniqueConstraints).flatMap(([table, constraints]) =>
    Object.entries<readonly [string, ErrorCode | Impossible]>(constraints).flatMap(([name, [columns, meaning]]) =>
      typeof meaning === 'string' ? [[name, meaning] as const, [sqliteName(table, columns), meaning] as const] : [],
    ),
  ),
)

/** Returns a key as SQLite reports it: `UNIQUE constraint failed: user_roles.user_id, user_roles.role`. */
function sqliteName(table: string, columns: string): string {
  return columns.replaceAll(/\w+/g, (column) => `${table}.${column}`)
}
