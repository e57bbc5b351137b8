import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { compose } from '../packages/gatelodge/src/compose.ts'
import { readConfig } from '../packages/gatelodge/src/config.ts'
import { systemClock } from '../packages/gatelodge/src/kernel/clock.ts'
import { newId, uuidv7 } from '../packages/gatelodge/src/kernel/ids.ts'
import { systemRandom } from '../packages/gatelodge/src/kernel/random.ts'
import { migrateUp } from '../packages/gatelodge/src/store/migrate.ts'
import type { Store } from '../packages/gatelodge/src/store/store.ts'
import { bareDatabase, openLocation } from '../packages/gatelodge/test/support/databases.ts'
import { stopOwnPostgres } from '../packages/gatelodge/test/support/postgres.ts'

/**
 * Measures how many bytes a row of each table takes with its indexes, on SQLite and on PostgreSQL: `node bench/sizes.ts [ACCOUNTS]`.
 * One account is used over HTTP: it signs up, confirms, signs in from a browser and from an app, refreshes, requests a new password. Its rows are the pattern.
 * Each further account gets a copy of them with its own ids, hashes and addresses, in chronological order, as they would arrive, so that the trees of random
 * keys are as full as in real use. The size of the files is then divided by the number of rows. Nothing is vacuumed.
 */
const accounts = Number(process.argv[2] ?? 20_000)
const batch = 50
const browser =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36'
/** Referenced tables come before those that reference them. */
const tables = [
  'users',
  'profiles',
  'usernames',
  'sessions',
  'refresh_tokens',
  'known_devices',
  'limit_counters',
  'events',
  'mails',
] as const

type Table = (typeof tables)[number]
type Row = Readonly<Record<string, unknown>>
type Pattern = Readonly<Record<Table, readonly Row[]>>
/** The bytes of the rows and of the indexes. */
type Sizes = ReadonlyMap<string, readonly [rows: number, table: number, indexes: number]>

const pattern = await livePattern()
const sqlite = await measure('sqlite')
const postgres = await measure('postgres')
await stopOwnPostgres()

console.log(`${accounts} accounts\n`)
console.log(
  `${'table'.padEnd(16)}${'SQLite'.padStart(8)}${'indexes'.padStart(9)}${'PostgreSQL'.padStart(12)}${'indexes'.padStart(9)}`,
)
for (const table of tables) {
  const cells = [sqlite, postgres].flatMap((sizes) => {
    const [rows, own, indexes] = sizes.get(table) ?? [1, 0, 0]
    return [own / rows, indexes / rows].map((bytes) => Math.round(bytes))
  })
  console.log(table.padEnd(16) + cells.map((cell, index) => String(cell).padStart([8, 9, 12, 9][index] ?? 0)).join(''))
}

async function measure(engine: 'sqlite' | 'postgres'): Promise<Sizes> {
  const database = await bareDatabase(engine)
  const store = await openLocation(database.location)
  await migrateUp(store)
  for (let first = 0; first < accounts; first += batch) {
    const copies = Array.from({ length: Math.min(batch, accounts - first) }, (_, index) => copyOf(first + index))
    await store.transaction(async (db) => {
      for (const table of tables) {
        const rows = copies.flatMap((copy) => copy[table])
        // The tables of a pattern are those of the schema, where its rows came from.
        if (rows.length > 0)
          await db
            .insertInto(table)
            .values(rows as never)
            .execute()
      }
    })
  }
  const sizes = engine === 'sqlite' ? await sizesOnSqlite(store) : await sizesOnPostgres(store)
  await store.close()
  await database.release()
  return sizes
}

/** Returns the pattern with its own ids. References point to the copies of the referenced rows. */
function copyOf(index: number): Pattern {
  const known = new Map<string, string>()
  const fresh = (text: string) => {
    const made = known.get(text) ?? freshText(text, index)
    known.set(text, made)
    return made
  }
  const copyRow = (row: Row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, copyValue(name, value)]))
  const copyValue = (name: string, value: unknown) => {
    if (typeof value === 'string') return fresh(value)
    return typeof value === 'number' && name.endsWith('_at') ? value + index * 1_000 : value
  }
  return Object.fromEntries(tables.map((table) => [table, pattern[table].map(copyRow)])) as unknown as Pattern
}

function freshText(text: string, index: number): string {
  if (/^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(text)) return uuidv7(systemClock, systemRandom)
  if (/^[\w-]{22}$/.test(text)) return newId(systemRandom)
  if (/^[\w-]{43}$/.test(text)) return systemRandom.bytes(32).toString('base64url')
  return text.replaceAll('person0', `person${index}`)
}

async function sizesOnSqlite({ migrationDb }: Store): Promise<Sizes> {
  const { rows } = await sql<{ tbl: string; own: number; indexes: number }>`
    select s.tbl_name as tbl, sum(case when s.type = 'table' then d.pgsize else 0 end) as own,
      sum(case when s.type = 'index' then d.pgsize else 0 end) as indexes
    from dbstat d join sqlite_schema s on s.name = d.name group by s.tbl_name
  `.execute(migrationDb)
  return new Map(rows.map(({ tbl, own, indexes }) => [tbl, [rowsOf(tbl), own, indexes]]))
}

async function sizesOnPostgres({ migrationDb }: Store): Promise<Sizes> {
  const { rows } = await sql<{ tbl: string; own: string; indexes: string }>`
    select relname as tbl, pg_table_size(oid) as own, pg_indexes_size(oid) as indexes from pg_class
    where relkind = 'r' and relnamespace = 'public'::regnamespace
  `.execute(migrationDb)
  return new Map(rows.map(({ tbl, own, indexes }) => [tbl, [rowsOf(tbl), Number(own), Number(indexes)]]))
}

function rowsOf(table: string): number {
  return accounts * (tables.some((name) => name === table) ? pattern[table as Table].length : 1)
}

/** Returns the rows of one account that has been used, from a separate database. */
async function livePattern(): Promise<Pattern> {
  const folder = mkdtempSync(join(tmpdir(), 'gatelodge-sizes-'))
  const env = {
    GATELODGE_DATABASE: `sqlite:${join(folder, 'gatelodge.db')}`,
    GATELODGE_DATA_DIR: folder,
    GATELODGE_PUBLIC_URL: 'http://localhost:3000',
  }
  const { config } = readConfig({ env, flags: {}, readFile: () => '' })
  const log = { debug() {}, info() {}, warn() {}, error: console.error }
  const composition = await compose({ config, secret: 'a secret of the bench, known to everybody', log })
  const { deps } = composition
  try {
    const ask = async (path: string, body: unknown, agent = browser) => {
      const headers = { 'content-type': 'application/json', 'user-agent': agent }
      const init = { method: 'POST', headers, body: JSON.stringify(body) }
      const answer = await composition.fetch(new Request(`http://localhost:3000/api/v1/auth/${path}`, init), {
        peer: '203.0.113.178',
      })
      if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`)
      await composition.deliverMail()
      return (await answer.json()) as { refresh_token: string }
    }
    const email = 'person0@example.com'
    const password = 'quiet harbour 52'
    await ask('signup', { email, password, username: 'person0', fullname: 'Ada Lovelace' })
    const token = /token=(\S+)/.exec(deps.mailbox?.entries()[0]?.text ?? '')?.[1]
    await ask('verify-email', { token, password })
    await ask('signin', { email, password, session: 'cookie' })
    const { refresh_token } = await ask('signin', { email, password }, 'Example/4.2 (iPhone; iOS 26.1)')
    await ask('refresh', { refresh_token }, 'Example/4.2 (iPhone; iOS 26.1)')
    await ask('forgot-password', { email })

    const read = async (table: Table) =>
      (await sql<Row>`select * from ${sql.table(table)}`.execute(deps.store.migrationDb)).rows
    const entries = await Promise.all(tables.map(async (table) => [table, await read(table)] as const))
    const rows = Object.fromEntries(entries) as unknown as Pattern
    // Rows of used tokens are deleted after their grace window.
    return { ...rows, refresh_tokens: rows.refresh_tokens.filter(({ spent_at }) => spent_at === null) }
  } finally {
    await composition.close()
    rmSync(folder, { recursive: true })
  }
}
