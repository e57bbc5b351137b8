import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { commandFolder, npmFunction } from '../../test/support/cli.ts'
import { blocksOf, markdownSection } from '../../test/support/markdown.ts'

test('a backup taken from a running server is private and restores to a working database', async () => {
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

test('a backup of many pages reports its progress', async () => {
  await using folder = commandFolder()
  await folder.run('migrate up')
  const db = new DatabaseSync(join(folder.path, 'data/gatelodge.db'))
  db.exec('create table filler (text text)')
  for (let row = 0; row < 60; row += 1) db.prepare('insert into filler values (?)').run('x'.repeat(100_000))
  db.close()
  let now = 0
  const slowly = { now: () => (now += 400) }
  const { status, stdout, stderr } = await folder.run('backup copy.db', slowly)
  assert.equal(status, 0, stderr)
  const told = [...stderr.matchAll(/^backup: (\d+) of (\d+) pages$/gm)].map(
    ([, done, total]) => Number(done) / Number(total),
  )
  assert.ok(told.length > 2 && told.every((part) => part <= 1), stderr)
  assert.doesNotMatch(stdout, /pages/)
  assert.equal((await folder.run('backup other.db --json', slowly)).stderr, '')
})

test('a backup overwrites nothing', async () => {
  await using folder = commandFolder()
  await folder.run('migrate up')
  writeFileSync(join(folder.path, 'copy.db'), 'precious')
  const { status, stderr } = await folder.run('backup copy.db')
  assert.equal(status, 1)
  assert.match(stderr, /already exists/)
  assert.equal(readFileSync(join(folder.path, 'copy.db'), 'utf8'), 'precious')
})

test('a backup that fails leaves nothing behind', async () => {
  await using folder = commandFolder()
  const nothing = await folder.run('backup copy.db')
  assert.equal(nothing.status, 1)
  assert.match(nothing.stderr, /There is no database/)
  assert.equal((await folder.run('backup missing/copy.db --database sqlite:copy.db')).status, 1)
  assert.deepEqual(readdirSync(folder.path), [])

  assert.deepEqual(readdirSync(folder.path), [])
})

test('for PostgreSQL the command to run is printed, without the password', async () => {
  const url = 'postgres://gate:open-sesame@127.0.0.1:1/gate?sslmode=require&pool=3'
  await using folder = commandFolder({ GATELODGE_DATABASE: url })
  const { status, stdout, stderr } = await folder.run(['backup', "it's.dump"])
  assert.equal(status, 1)
  assert.equal(stdout, '')
  assert.ok(!stderr.includes('sesame'))
  const command = /^ {2}(pg_dump .*)$/m.exec(stderr)?.[1] ?? ''
  const { stdout: words } = spawnSync('bash', ['-c', `pg_dump() { printf '%s\\n' "$@"; }; ${command}`])
  assert.deepEqual(String(words).trim().split('\n'), [
    '--format=custom',
    '--no-owner',
    `--file=${join(folder.path, "it's.dump")}`,
    '--dbname=postgres://gate@127.0.0.1:1/gate?sslmode=verify-full&sslrootcert=system',
  ])
  assert.ok(stderr.includes(`without ${join(folder.path, 'data/secret')}`))
  assert.deepEqual(readdirSync(folder.path), [])
})

test('the steps of the manual restore users and waiting mails after a total loss', async () => {
  await using folder = commandFolder({ GATELODGE_PUBLIC_URL: 'http://localhost:3000' })
  await folder.json('admin create --email ada@example.com --password-stdin', 'quiet harbour 52\n')
  const before = await folder.serve()
  const signedIn = await signIn(before.origin)
  assert.equal(signedIn.status, 200)
  const { access_token: bearer } = (await signedIn.json()) as { access_token: string }
  await before.end()
  await folder.json('user create --email bob@example.com --invite')
  for (const step of ['Back up SQLite', 'Restore SQLite'] as const) {
    if (step === 'Restore SQLite') {
      rmSync(join(folder.path, 'data'), { recursive: true })
      const stranger = await folder.serve() // a server was started on the empty folder, with another database and another secret
      assert.equal((await signIn(stranger.origin)).status, 401)
      await stranger.end('SIGKILL')
    }
    runInShell(folder.path, firstBlock(step))
  }

  const after = await folder.serve()
  assert.match(String((await after.next()).text), /bob@example\.com/)
  const session = await fetch(`${after.origin}/api/v1/auth/session`, { headers: { authorization: `Bearer ${bearer}` } })
  assert.equal(session.status, 200)
  assert.equal((await signIn(after.origin)).status, 200)
  await after.end()

  writeFileSync(join(folder.path, 'data/secret'), 'another secret, long enough to be one as well')
  const refused = await folder.run('serve --listen 127.0.0.1:0')
  assert.equal(refused.status, 1)
  assert.match(refused.stderr, /does not decrypt the keys in this database/)
})

test('the secret to keep is named with its location', async () => {
  await using folder = commandFolder({ GATELODGE_SECRET: 'a secret of the tests, long enough to be one' })
  await folder.run('migrate up')
  assert.match((await folder.run('backup copy.db')).stdout, /without GATELODGE_SECRET/)
  const { status, stderr } = await folder.run('backup nowhere/copy.db')
  assert.equal(status, 1)
  assert.match(stderr, /ENOENT/)
})

function signIn(origin: string): Promise<Response> {
  return fetch(`${origin}/api/v1/auth/signin`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'ada@example.com', password: 'quiet harbour 52' }),
  })
}

function firstBlock(heading: string): string {
  const page = readFileSync(new URL('../../../../docs/guide/backup.md', import.meta.url), 'utf8')
  return blocksOf(markdownSection(page, heading))[0]?.body ?? assert.fail(`a block below ${heading}`)
}

function runInShell(cwd: string, commands: string): void {
  const { status, stderr } = spawnSync('bash', ['-c', `set -eu\n${npmFunction()}\n${commands}`], { cwd })
  assert.equal(status, 0, String(stderr))
}
