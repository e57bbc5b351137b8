import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { composeTest, type Engine, forEachDatabase, TestApp } from '../../test/support/app.ts'
import { commandFolder } from '../../test/support/cli.ts'
import { bareDatabase } from '../../test/support/databases.ts'
import { type LogLine, testClock, testSecret } from '../../test/support/deps.ts'
import { assertPeopleGoOn, populatedAt, populatedDatabase } from '../../test/support/populated.ts'
import { copiedTables } from '../store/copy.ts'

const secret = { GATELODGE_SECRET: testSecret }

forEachDatabase('copy from', (engine) => {
  const other: Engine = engine === 'sqlite' ? 'postgres' : 'sqlite'

  test('users keep their sessions and tokens when the installation has moved', async () => {
    const source = await populatedDatabase(engine)
    const target = await bareDatabase(other)
    await using folder = commandFolder({ ...secret, GATELODGE_DATABASE: target.location })
    const { status, stdout, stderr } = await folder.run(['copy', '--from', source.location])
    assert.equal(status, 0, stderr)
    assert.match(stdout, /^Copied \d+ rows in \d+ tables to .*; row counts and checksums match\.\n.*GATELODGE_SECRET/)
    assert.match(stderr, /^users: 7 of 7 rows\n/)

    const logged: LogLine[] = []
    const clock = testClock(populatedAt)
    const composition = await composeTest({ database: target.location }, clock, logged)
    {
      await using app = new TestApp(composition, clock, logged)
      await assertPeopleGoOn(app)
    }
    const again = await folder.run(['copy', '--from', source.location])
    assert.equal(again.status, 1)
    assert.match(again.stderr, /The target is not empty/)
    await source.release()
    await target.release()
  })

  test('a secret other than that of the source is rejected before anything is copied', async () => {
    const source = await populatedDatabase(engine)
    const target = await bareDatabase(other)
    const asked = ['copy', '--from', source.location, '--to', target.location]
    await using wrong = commandFolder({ GATELODGE_SECRET: 'another secret, long enough to be one as well' })
    const refused = await wrong.run(asked)
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /GATELODGE_SECRET does not decrypt the keys/)

    await using none = commandFolder()
    assert.match((await none.run(asked)).stderr, /secret is missing/)
    assert.equal(existsSync(join(none.path, 'data')), false)

    await using right = commandFolder(secret)
    const { rows, tables, verified } = await right.json<{ rows: number; tables: object; verified: string[] }>(
      asked.join(' '),
    )
    assert.deepEqual(Object.keys(tables), Object.keys(copiedTables))
    assert.ok(rows > 100)
    assert.deepEqual(verified, ['rows', 'checksums'])
    await source.release()
    await target.release()
  })
})

test('a copy from or to a file locked by a server is rejected', async () => {
  await using folder = commandFolder()
  await folder.serve()
  const source = await folder.run('copy --from sqlite:data/gatelodge.db --to sqlite:copy.db')
  assert.equal(source.status, 1)
  assert.match(source.stderr, /A server is running on the source .*Stop it first/)
  const target = await folder.run('copy --from sqlite:copy.db')
  assert.match(target.stderr, /There is no database at/)
  await folder.run('migrate up --database sqlite:other.db')
  assert.match((await folder.run('copy --from sqlite:other.db')).stderr, /A server is running on the target/)
})

test('a copy without a second database is a usage error', async () => {
  await using folder = commandFolder()
  for (const [command, says] of [
    ['copy', /--from or the target with --to/],
    ['copy --from mysql://example.com/x', /--from must be sqlite:PATH/],
    ['copy --to sqlite:./data/gatelodge.db', /the same database/],
    ['copy --to sqlite::memory:', /cannot be copied/],
  ] as const) {
    const { status, stderr } = await folder.run(command)
    assert.equal(status, 2, command)
    assert.match(stderr, says)
  }
})
