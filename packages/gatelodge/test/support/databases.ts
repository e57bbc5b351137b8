import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { openStore } from '../../src/compose.ts'
import { settings } from '../../src/config/settings.ts'
import type { Store } from '../../src/store/store.ts'
import type { Engine } from './app.ts'
import { freshPostgresDatabase } from './postgres.ts'

/** A database without any table, for what makes or fills one: `location` is what GATELODGE_DATABASE would say. */
export async function bareDatabase(engine: Engine): Promise<{ location: string; release(): Promise<void> }> {
  if (engine === 'sqlite') {
    const folder = mkdtempSync(join(tmpdir(), 'gatelodge-bare-'))
    return {
      location: `sqlite:${join(folder, 'gatelodge.db')}`,
      release: async () => rmSync(folder, { recursive: true, force: true }),
    }
  }

  const database = await freshPostgresDatabase()
  await dropEverything(database.url)
  return { location: database.url, release: async () => {} } // it is of no use to other tests, and goes with its server
}

/** Opens a database by what GATELODGE_DATABASE would say. */
export async function openLocation(location: string): Promise<Store> {
  const database = settings.database.parse(location)
  if (!database) throw new Error('no form of GATELODGE_DATABASE')
  return openStore({ database })
}

async function dropEverything(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  await client.query('drop schema public cascade; create schema public')
  await client.end()
}
