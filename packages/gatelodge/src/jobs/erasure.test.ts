import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, type TestApp, testApp } from '../../test/support/app.ts'
import { type LogLine, recordingLog } from '../../test/support/deps.ts'
import { hour, minute, second } from '../kernel/clock.ts'
import { AuthError } from '../kernel/errors.ts'
import type { Store } from '../store/store.ts'
import { findWipeRequest } from '../store/wipe-requests.ts'
import { cleanUp } from './clean-up.ts'
import { createErasure } from './erasure.ts'

forEachDatabase('erasure', (engine) => {
  test('deleting an account or cleaning up a sign-up requests an erasure in the same transaction, on SQLite only', async () => {
    await using app = await testApp({ engine })
    const asked = async () => (await findWipeRequest(app.deps.store.db)) !== undefined
    await app.post('/signup', { email: 'late@example.com', password: 'quiet harbour 52', username: 'late' })
    await cleanUp(app.deps)
    assert.equal(await asked(), false)
    app.clock.advance(25 * hour)
    await cleanUp(app.deps)
    assert.equal(await asked(), engine === 'sqlite')

    const { runDue } = createErasure({ ...app.deps, isCommand: false })
    await runDue()
    assert.equal(await asked(), false)
    await cleanUp(app.deps)
    assert.equal(await asked(), false, 'there was nothing to remove')
    await deletePerson(app)
    assert.equal(await asked(), engine === 'sqlite')
  })
})

test('one erasure covers all deletions before it, and the next run wipes what is deleted meanwhile', async () => {
  await using app = await testApp({ engine: 'sqlite' })
  const { erasure, rewrites, next } = watched(app)
  await erasure.runDue()
  assert.equal(rewrites(), 0)
  await deletePerson(app)
  await deletePerson(app)
  next(() => deletePerson(app))
  await erasure.runDue()
  assert.equal(rewrites(), 1)
  await erasure.runDue()
  await erasure.runDue()
  assert.equal(rewrites(), 2)
})

test('runs are spaced by twenty times the duration of the last one, while only the log is truncated; shutdown does not wait for that', async () => {
  await using app = await testApp({ engine: 'sqlite' })
  const { erasure, rewrites, next, pass, cuts } = watched(app)
  await deletePerson(app)
  next(async () => pass(2 * second))
  await erasure.runDue()
  await deletePerson(app)
  pass(40 * second - 1)
  const before = cuts()
  await erasure.runDue()
  assert.deepEqual([rewrites(), cuts()], [1, before + 1])
  pass(1)
  await erasure.runDue()
  assert.equal(rewrites(), 2)

  await deletePerson(app)
  next(async () => pass(second))
  await erasure.runDue()
  await deletePerson(app)
  await erasure.finish()
  assert.equal(rewrites(), 4)
  await erasure.finish()
  assert.equal(rewrites(), 4)
})

test('nothing is rewritten while another process reads the log, and a busy database is retried without a log entry', async () => {
  await using app = await testApp({ engine: 'sqlite' })
  const { erasure, rewrites, next, logged, hold } = watched(app)
  await deletePerson(app)
  hold(true)
  await erasure.runDue()
  assert.equal(rewrites(), 0)
  hold(false)
  next(async () => {
    throw new AuthError('database_busy')
  })
  await erasure.runDue()
  await erasure.runDue()
  await erasure.runDue()
  assert.deepEqual([rewrites(), logged], [2, []])
})

test('a failure is logged once an hour and retried after a minute, and on shutdown it is left to the next start', async () => {
  await using app = await testApp({ engine: 'sqlite' })
  const { erasure, rewrites, next, pass, logged } = watched(app)
  const fail = async () => {
    throw new AuthError('service_unavailable')
  }
  await deletePerson(app)
  next(fail)
  await erasure.runDue()
  for (let minutes = 1; minutes <= 60; minutes += 1) {
    await erasure.runDue()
    next(fail)
    pass(minute)
    await erasure.runDue()
  }
  assert.deepEqual([rewrites(), logged.map(({ level }) => level)], [61, ['warn', 'warn']])
  next(fail)
  await erasure.finish()
  assert.equal(logged.length, 2)
  await app.user()
  await erasure.finish()
  await erasure.finish()
  assert.equal(rewrites(), 63)
})

test('a command wipes what it deleted itself, and leaves other deletions to the server', async () => {
  await using app = await testApp({ engine: 'sqlite' })
  const { erasure, rewrites } = watched(app, true)
  await deletePerson(app)
  erasure.recorded([{ name: 'session.ended', data: {} as never }])
  await erasure.finish()
  assert.equal(rewrites(), 0)
  erasure.recorded([{ name: 'user.deleted', data: { by: 'administrator' } }])
  await erasure.finish()
  assert.equal(rewrites(), 1)
})

async function deletePerson(app: TestApp): Promise<void> {
  const ada = await app.user()
  const { access } = await app.tokens(ada)
  assert.equal((await app.delete('/me', { bearer: access }, { password: ada.password })).status, 204)
}

/** Creates an erasure on a store that counts calls, can pretend to be read by another process, and runs a callback while it rewrites. */
function watched(app: TestApp, isCommand = false) {
  const { store, clock } = app.deps
  const logged: LogLine[] = []
  let now = 0
  let rewrites = 0
  let cuts = 0
  let isHeld = false
  let meanwhile: (() => Promise<void>) | undefined
  const counting: Store = {
    ...store,
    async truncateLog() {
      cuts += 1
      return !isHeld && store.truncateLog()
    },
    async rewrite() {
      rewrites += 1
      const also = meanwhile
      meanwhile = undefined
      await also?.()
      await store.rewrite()
    },
  }
  return {
    erasure: createErasure({ store: counting, clock, log: recordingLog(logged), isCommand, elapsed: () => now }),
    logged,
    rewrites: () => rewrites,
    cuts: () => cuts,
    pass: (ms: number) => {
      now += ms
    },
    hold: (held: boolean) => {
      isHeld = held
    },
    next: (also: () => Promise<void>) => {
      meanwhile = also
    },
  }
}
