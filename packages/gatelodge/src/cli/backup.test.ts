import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { commandFolder } from '../../test/support/cli.ts'

test('a backup taken beside a running server is private and becomes a working database again', async () => {
  await using folder = commandFolder()
  await folder.serve()
  await folder.json('user create --email ada@example.com --invite')
  const made = await folder.json('backup copy.db')
  assert.deepEqual(made, { backup: join(folder.path, 'copy.db'), keep_with_it: join(folder.path, 'data/secret') })
  assert.equal(statSync(join(folder.path, 'copy.db')).mode & 0o777, 0o600)

  await folder.json('user delete ada@example.com --yes')
  const { user } = await folder.json<{ user: { email: string } }>('user show ada@example.com --database sqlite:copy.db')
  assert.equal(user.email, 'ada@example.com')
})

test('a backup overwrites nothing', async () => {
  await using folder = commandFolder()
  await folder.run('migrate up')
  writeFileSync(join(folder.path, 'copy.db'), 'precious')
  const { status, stderr } = await folder.run('backup copy.db')
  assert.equal(status, 1)
  assert.match(stderr, /exists already/)
  assert.equal(readFileSync(join(folder.path, 'copy.db'), 'utf8'), 'precious')
})

test('a backup that cannot be made leaves nothing behind', async () => {
  await using folder = commandFolder()
  const nothing = await folder.run('backup copy.db')
  assert.equal(nothing.status, 1)
  assert.match(nothing.stderr, /There is no database/)
  assert.equal((await folder.run('backup missing/copy.db --database sqlite:copy.db')).status, 1)
  assert.deepEqual(readdirSync(folder.path), [])

  const postgres = await folder.run('backup copy.db --database postgres://gate@127.0.0.1:1/gate')
  assert.match(postgres.stderr, /pg_dump/)
  assert.deepEqual(readdirSync(folder.path), [])
})

test('the secret to keep is named where it is', async () => {
  await using folder = commandFolder({ GATELODGE_SECRET: 'a secret of the tests, long enough to be one' })
  await folder.run('migrate up')
  assert.match((await folder.run('backup copy.db')).stdout, /without GATELODGE_SECRET/)
  const { status, stderr } = await folder.run('backup nowhere/copy.db')
  assert.equal(status, 1)
  assert.match(stderr, /ENOENT/)
})
