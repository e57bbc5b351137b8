import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { openStore } from '../../src/compose.ts'
import { settings } from '../../src/config/settings.ts'
import type { Store } from '../../src/store/store.ts'
import type { Engine } from './app.ts'
import { directUrlOf, freshPostgresDatabase } from './postgres.ts'

interface TestDatabase {
  /** The value for GATELODGE_DATABASE. */
  readonly location: string
  release(): Promise<void>
}

/** Returns a database without any rows. */
export async function freshDatabase(engine: Engine): Promise<TestDatabase> {
  if (engine === 'sqlite') return sqliteFile()

  const { url, release } = await freshPostgresDatabase()
  return { location: url, release }
}

/** Returns a database without any tables, for code that creates or fills one. */
export async function bareDatabase(engine: Engine): Promise<TestDatabase> {
  if (engine === 'sqlite') return sqliteFile()

  const database = await freshPostgresDatabase()
  await dropEverything(database.url)
  return { location: database.url, release: async () => {} } // useless for other tests; it is removed with its server
}

/** Returns settings for commands and servers that select a fresh database. None on SQLite, where the database is the one in their folder. */
export async function databaseSettings(
  engine: Engine,
): Promise<AsyncDisposable & { readonly env: Readonly<Record<string, string>> }> {
  if (engine === 'sqlite') return { env: {}, async [Symbol.asyncDispose]() {} }

  const { url, release } = await freshPostgresDatabase()
  const direct = directUrlOf(url)
  return {
    env: { GATELODGE_DATABASE: url, ...(direct !== undefined && { GATELODGE_DATABASE_DIRECT: direct }) },
    [Symbol.asyncDispose]: release,
  }
}

/** Opens a database by its value for GATELODGE_DATABASE. */
export async function openLocation(location: string): Promise<Store> {
  const database = settings.database.parse(location)
  if (!database) throw new Error('no form of GATELODGE_DATABASE')
  return openStore({ database })
}

function sqliteFile(): TestDatabase {
  const folder = mkdtempSync(join(tmpdir(), 'gatelodge-database-'))
  return {
    location: `sqlite:${join(folder, 'gatelodge.db')}`,
    release: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

async function dropEverything(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  await client.query('drop schema public cascade; create schema public')
  await client.end()
}
