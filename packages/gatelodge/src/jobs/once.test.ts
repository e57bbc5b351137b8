import assert from 'node:assert/strict'
import { test } from 'node:test'
import { composeTest, forEachDatabase, testApp } from '../../test/support/app.ts'
import { freshDatabase } from '../../test/support/databases.ts'
import { testClock } from '../../test/support/deps.ts'
import { hour, minute, second } from '../kernel/clock.ts'
import { claimRun, repeatOnce } from './once.ts'

const interval = 10 * minute

forEachDatabase('jobs that run once', (engine) => {
  test('however many processes check, and however often, exactly one runs the job in each interval', async () => {
    const database = await freshDatabase(engine)
    const clock = testClock()
    const processes = await Promise.all(
      Array.from({ length: 4 }, () => composeTest({ database: database.location }, clock, [])),
    )
    const looks = async () => {
      const claims = Array.from({ length: 5 }, () => processes.map(({ deps }) => claimRun(deps, 'trial', interval)))
      return (await Promise.all(claims.flat())).filter(Boolean).length
    }
    for (let round = 0; round < 5; round += 1) {
      assert.equal(await looks(), 1, `runs in interval ${round}`)
      clock.advance(interval - 1)
      assert.equal(await looks(), 0)
      clock.advance(1)
    }
    for (const { close } of processes) await close()
    await database.release()
  })

  test('a process that dies during a run does not stop later runs', async () => {
    await using app = await testApp({ engine })
    assert.equal(await claimRun(app.deps, 'trial', interval), true) // its process dies here
    app.clock.advance(interval)
    assert.equal(await claimRun(app.deps, 'trial', interval), true)
    const [job] = await app.rows('jobs')
    assert.deepEqual([job?.ran_at, job?.due_at], [app.clock.now(), app.clock.now() + interval])
  })

  test('a clock that is set back does not stop a job, and one slightly behind the others does not start one', async () => {
    await using app = await testApp({ engine })
    assert.equal(await claimRun(app.deps, 'trial', interval), true)
    app.clock.advance(-50 * second)
    assert.equal(await claimRun(app.deps, 'trial', interval), false)
    app.clock.advance(-hour)
    assert.equal(await claimRun(app.deps, 'trial', interval), true)
    assert.equal(await claimRun(app.deps, 'trial', interval), false)
    app.clock.advance(interval)
    assert.equal(await claimRun(app.deps, 'trial', interval), true)
  })

  test('jobs of different names do not wait for one another', async () => {
    await using app = await testApp({ engine })
    assert.equal(await claimRun(app.deps, 'trial', interval), true)
    assert.equal(await claimRun(app.deps, 'other', interval), true)
  })

  test('the job runs on its own, and a failed run is logged and does not end it', async () => {
    await using app = await testApp({ engine })
    const ran = Promise.withResolvers<void>()
    let runs = 0
    const job = repeatOnce(app.deps, 'trial', 50, async () => {
      app.clock.advance(50)
      runs += 1
      if (runs === 3) ran.resolve()
      throw new Error('a run that fails')
    })
    job.start()
    await ran.promise
    await job.stop()
    assert.deepEqual(
      app.logged.filter(({ job: name }) => name === 'trial').map(({ level, message }) => [level, message]),
      Array.from({ length: 3 }, () => ['error', 'a job failed']),
    )
  })
})
