import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { sql } from 'kysely'
import { cleanUp } from '../src/jobs/clean-up.ts'
import { day } from '../src/kernel/clock.ts'
import { testApp } from './support/app.ts'
import { blocksOf, markdownSection } from './support/markdown.ts'

const page = readFileSync(new URL('../../../docs/guide/scaling.md', import.meta.url), 'utf8')

test('the program does not notice that its events were partitioned as the guide says', async () => {
  await using app = await testApp({ engine: 'postgres', env: { GATELODGE_EVENT_RETENTION: '30d' } })
  const db = app.deps.store.migrationDb
  const ada = await app.user()
  const before = await app.rows('events')

  const [block] = blocksOf(markdownSection(page, 'Partitioned events'))
  const statements = block?.body.split(/;\n/).filter((statement) => statement !== '') ?? []
  await db.connection().execute(async (one) => {
    for (const statement of statements) await sql.raw(statement).execute(one)
  })
  const { rows } = await sql`select relkind from pg_class where relname = 'events'`.execute(db)
  assert.deepEqual(rows, [{ relkind: 'p' }])
  assert.deepEqual(await app.rows('events'), before)

  const { access } = await app.tokens(ada)
  const { json } = await app.get('/me/events', { bearer: access })
  assert.equal(json.events[0].name, 'session.started')
  assert.equal((await app.delete('/me', { bearer: access }, { password: ada.password })).status, 204)
  const kept = (await app.rows('events')).filter(({ user_id, ip }) => user_id === ada.id && ip !== null)
  assert.deepEqual(kept, [])
  app.clock.advance(31 * day)
  await cleanUp(app.deps)
  assert.deepEqual(await app.rows('events'), [])
})
