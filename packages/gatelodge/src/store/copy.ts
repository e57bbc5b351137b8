import { createHash } from 'node:crypto'
import { type RawBuilder, sql } from 'kysely'
import { AuthError } from '../kernel/errors.ts'
import { migrateUp, migrationStatus } from './migrate.ts'
import type { Schema } from './schema.ts'
import type { Store, WriteDb } from './store.ts'

/** Every table with its primary key. A table comes after the tables that it references. */
export const copiedTables = {
  users: ['id'],
  profiles: ['user_id'],
  user_roles: ['user_id', 'role'],
  usernames: ['username'],
  email_reservations: ['email'],
  pending_signups: ['id'],
  sessions: ['id'],
  one_time_tokens: ['id'],
  refresh_tokens: ['id'],
  known_devices: ['user_id', 'place'],
  limit_counters: ['key'],
  events: ['id'],
  mails: ['id'],
  signing_keys: ['kid'],
  service_clients: ['id'],
  api_tokens: ['id'],
  sign_in_tickets: ['id'],
  revoked_tokens: ['jti'],
  jobs: ['name'],
  avatar_removals: ['name'],
} as const satisfies Record<keyof Schema, readonly string[]>

type TableName = keyof typeof copiedTables

/** Progress of copying one table, in rows. */
export interface CopyProgress {
  readonly table: string
  readonly rows: number
  readonly total: number
}

/** Rows per batch. A batch is held in memory and inserted by one statement, and SQLite accepts at most 32,766 parameters. */
const batchSize = 500

const tableNames = Object.keys(copiedTables) as TableName[]

/** Throws unless the schema of the source is current and the target is empty. @throws service_unavailable */
export async function assertCopyable(from: Store, to: Store): Promise<void> {
  if (await hasMissingSteps(from)) {
    throw refusal('The schema of the source is not up to date: run "gatelodge migrate up" on it first.')
  }
  const applied = (await migrationStatus(to)).filter(({ appliedAt }) => appliedAt !== null)
  if (applied.length === 0) return

  if (await hasMissingSteps(to)) throw refusal('The target is not empty: it holds the schema of an older version.')
  await to.transaction(assertEmpty)
}

/**
 * Creates the schema in an empty database and copies every row into it: one transaction on the target, in batches ordered by primary key, while both
 * databases are locked against other writers. Compares row counts and checksums of what was read and what was written, so that rows added in the meantime are
 * detected too. Returns the number of rows copied per table.
 * @throws service_unavailable; nothing is copied then
 */
export async function copyDatabase(
  from: Store,
  to: Store,
  tell: (progress: CopyProgress) => void,
): Promise<Record<string, number>> {
  await assertCopyable(from, to)
  await migrateUp(to)

  // Copying a large table takes longer than the timeout of a request.
  return from.transaction(
    async (source) => {
      await keepOthersOut(from, source, 'share')
      return to.transaction(
        async (target) => {
          await keepOthersOut(to, target, 'exclusive')
          const copied: Record<string, number> = {}
          for (const table of tableNames) copied[table] = await copyTable(source, target, table, tell)
          return copied
        },
        { unbounded: true },
      )
    },
    { unbounded: true },
  )
}

async function hasMissingSteps(store: Store): Promise<boolean> {
  return (await migrationStatus(store)).some(({ appliedAt }) => appliedAt === null)
}

async function assertEmpty(target: WriteDb): Promise<void> {
  for (const table of tableNames) {
    if ((await countRows(target, table)) > 0) throw refusal(`The target is not empty: its table "${table}" has rows.`)
  }
}

/** On SQLite the transaction already holds the write lock. On PostgreSQL others can still read; with `share` they can also start another copy. */
async function keepOthersOut({ engine }: Store, db: WriteDb, mode: 'share' | 'exclusive'): Promise<void> {
  if (engine === 'sqlite') return

  await sql`select set_config('lock_timeout', '10s', true)`.execute(db) // fail instead of waiting for a running server
  const tables = sql.join(tableNames.map((table) => sql.table(table)))
  const lock = mode === 'share' ? sql`lock table ${tables} in share mode` : sql`lock table ${tables} in exclusive mode`
  await lock.execute(db)
}

async function copyTable(
  source: WriteDb,
  target: WriteDb,
  table: TableName,
  tell: (progress: CopyProgress) => void,
): Promise<number> {
  const total = await countRows(source, table)
  const read = new Checksum()
  for await (const rows of batchesOf(source, table)) {
    read.add(rows)
    await insert(target, table, rows)
    tell({ table, rows: read.rows, total })
  }

  const written = new Checksum()
  for await (const rows of batchesOf(target, table)) written.add(rows)
  const isWhole = read.rows === total && written.rows === total && written.sum === read.sum
  if (!isWhole) throw refusal(`The copied rows of table "${table}" differ from the source. Nothing was copied.`)
  return total
}

type Row = Readonly<Record<string, unknown>>

async function insert(target: WriteDb, table: TableName, rows: readonly Row[]): Promise<void> {
  const columns = Object.keys(rows[0] ?? {})
  const tuples = rows.map((row) => sql`(${sql.join(columns.map((column) => row[column]))})`)
  try {
    await sql`insert into ${sql.table(table)} (${refs(columns)}) values ${sql.join(tuples)}`.execute(target)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'no reason given'
    throw refusal(`Table "${table}" could not be written: ${reason}. Nothing was copied.`, cause)
  }
}

/** Reads a table in pages ordered by primary key; each page starts after the last key of the previous one. */
async function* batchesOf(db: WriteDb, table: TableName): AsyncGenerator<Row[]> {
  const key: readonly string[] = copiedTables[table]
  let after: RawBuilder<unknown> = sql``
  for (;;) {
    const page = sql<Row>`select * from ${sql.table(table)} ${after} order by ${refs(key)} limit ${batchSize}`
    const { rows } = await page.execute(db)
    if (rows.length > 0) yield rows
    const last = rows.at(-1)
    if (last === undefined || rows.length < batchSize) return
    after = sql`where (${refs(key)}) > (${sql.join(key.map((column) => last[column]))})`
  }
}

function refs(columns: readonly string[]): RawBuilder<unknown> {
  return sql.join(columns.map((column) => sql.ref(column)))
}

async function countRows(db: WriteDb, table: TableName): Promise<number> {
  const counted = await sql<{ rows: number }>`select count(*) as rows from ${sql.table(table)}`.execute(db)
  return Number(counted.rows[0]?.rows)
}

/** Sums the hashes of rows. The sum does not depend on their order, since the engines sort text differently. */
class Checksum {
  rows = 0
  sum = 0n

  add(rows: readonly Row[]): void {
    this.rows += rows.length
    for (const row of rows) {
      const text = JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)))
      this.sum = BigInt.asUintN(256, this.sum + BigInt(`0x${createHash('sha256').update(text).digest('hex')}`))
    }
  }
}

function refusal(detail: string, cause?: unknown): AuthError {
  return new AuthError('service_unavailable', { detail, cause })
}
