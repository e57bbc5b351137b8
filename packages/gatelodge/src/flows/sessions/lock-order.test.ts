import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { testApp } from '../../../test/support/app.ts'
import { inParallel, tally } from '../../../test/support/attack.ts'

test('a refresh that meets a sign-out or a revocation never locks it in a circle', async () => {
  const app = await testApp({ engine: 'postgres', env: { GATELODGE_RATE_LIMITS: 'off' } })
  const { database } = app.deps.config
  assert.ok(database.kind === 'postgres')
  const ada = await app.user()
  const cookie = await app.cookie(ada)
  const before = await deadlocks(database.url, Number.POSITIVE_INFINITY)

  const statuses: number[] = []
  for (let wave = 0; wave < 24; wave += 2) {
    const four = await inParallel(4, () => app.tokens(ada))
    await inParallel(4, async (index) => {
      const { access, refresh, session } = four[index] ?? assert.fail()
      const refreshing = app.post('/refresh', { refresh_token: refresh })
      for (let turn = 0; turn < wave; turn += 1) await new Promise(setImmediate)
      if (index % 2) await app.post('/signout', {}, { bearer: access })
      else await app.delete(`/me/sessions/${session}`, { cookie })
      statuses.push((await refreshing).status)
    })
  }
  assert.deepEqual(Object.keys(tally(statuses)), ['200', '401'], 'some came before the end and some after')
  await app.composition.close()
  assert.equal(await deadlocks(database.url, 0), before)
})

/** A connection tells its deadlocks when it has been idle for a while, or ends. */
async function deadlocks(url: string, othersLeft: number): Promise<unknown> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const first = async (text: string) => (await client.query<Record<string, string>>(text)).rows[0]
  const mine = 'datname = current_database()'
  while (Number((await first(`select count(*) as n from pg_stat_activity where ${mine}`))?.n) - 1 > othersLeft) {}
  const told = await first(`select deadlocks from pg_stat_database where ${mine}`)
  await client.end()
  return told?.deadlocks
}
