import assert from 'node:assert/strict'
import { sql } from 'kysely'
import pg from 'pg'
import type { Store, WriteDb } from '../../src/store/store.ts'
import type { Person, TestApp, Told } from './app.ts'
import { inParallel, tally } from './attack.ts'
import { endKeptConnections } from './kept-connections.ts'

/** Settings for tests that send more requests than the limits allow. */
export const unlimited = { GATELODGE_RATE_LIMITS: 'off' }

/** Waits for this many turns of the event loop, so that two requests meet at different steps. */
export async function turns(times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) await new Promise(setImmediate)
}

/** Creates many accounts concurrently, each with an access token. */
export function crowd(app: TestApp, count: number): Promise<(Person & { access: string })[]> {
  return inParallel(count, async () => {
    const person = await app.user()
    return { ...person, access: (await app.tokens(person)).access }
  })
}

/** Returns the link with which a user moves to another address. */
export async function linkToMove(app: TestApp, person: Person & { access: string }, email: string): Promise<string> {
  const told = await app.post(
    '/change-email',
    { new_email: email, password: person.password },
    { bearer: person.access },
  )
  assert.equal(told.status, 202, told.text)
  return (await app.lastMail(email)).token
}

/** Runs an action while another unit of work has done `hold` but not committed. That unit ends once the action waits for it or is done. */
export async function duringUnit(
  store: Store,
  hold: (db: WriteDb) => Promise<unknown>,
  act: () => Promise<unknown>,
): Promise<void> {
  const held = Promise.withResolvers<void>()
  const goOn = Promise.withResolvers<void>()
  const unit = store.transaction(async (db) => {
    await hold(db)
    held.resolve()
    await goOn.promise
  })
  await held.promise
  let isDone = false
  const acting = act().finally(() => {
    isDone = true
  })
  while (store.engine === 'postgres' && !isDone && (await waitingIn(store)) === 0) await turns(1)
  goOn.resolve()
  await unit
  await acting
}

/** Returns how many connections wait for a lock of another. */
export async function waitingIn({ migrationDb }: Store): Promise<number> {
  const { rows } =
    await sql`select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`.execute(
      migrationDb,
    )
  return rows.length
}

/** Counts the responses by code or, if successful, by status. */
export function outcomes(told: readonly Told[]): Record<string, number> {
  return tally(told.map(({ status, code }) => code ?? status))
}

/** Runs `race` on PostgreSQL, closes the app and returns how many deadlocks the server had to break. */
export async function deadlocksOf(app: TestApp, race: () => Promise<void>): Promise<number> {
  const { database } = app.deps.config
  assert.ok(database.kind === 'postgres')
  const before = await deadlocks(database.url, Number.POSITIVE_INFINITY)
  await race()
  await app.composition.close()
  return (await deadlocks(database.url, 0)) - before
}

/** Returns the number of deadlocks. A connection reports its own only after it has been idle for a while, or ended. */
async function deadlocks(url: string, othersLeft: number): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const first = async (text: string) => (await client.query<Record<string, string>>(text)).rows[0]
  const mine = 'datname = current_database()'
  while (Number((await first(`select count(*) as n from pg_stat_activity where ${mine}`))?.n) - 1 > othersLeft) {
    endKeptConnections(url)
  }
  const told = await first(`select deadlocks from pg_stat_database where ${mine}`)
  await client.end()
  return Number(told?.deadlocks)
}
