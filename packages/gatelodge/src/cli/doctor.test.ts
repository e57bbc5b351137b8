import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import pg from 'pg'
import { forEachDatabase } from '../../test/support/app.ts'
import { type CommandFolder, commandFolder, commandFolderOn } from '../../test/support/cli.ts'
import { openLocation } from '../../test/support/databases.ts'
import { freePort, freshPostgresDatabase, stopOwnPostgres } from '../../test/support/postgres.ts'
import { smtpServer } from '../../test/support/smtp.ts'
import { day } from '../kernel/clock.ts'

after(stopOwnPostgres)

interface Examined {
  readonly status: number
  readonly of: (check: string) => string | undefined
}

async function examine(folder: CommandFolder, ...flags: string[]): Promise<Examined> {
  const url = flags.includes('--public-url') ? [] : ['--public-url', 'http://localhost:9'] // a port that fetch blocks
  const { status, stdout } = await folder.run(['doctor', '--json', ...url, ...flags])
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: { check: string; status: string }[] }
  assert.equal(ok, status === 0)
  return {
    status,
    of: (check) =>
      checks.find((finding) => finding.check === check && finding.status !== 'ok')?.status ??
      checks.find((finding) => finding.check === check)?.status,
  }
}

forEachDatabase('doctor', (engine) => {
  test('a healthy server with a working mail server causes no warning', async () => {
    const mailServer = await smtpServer()
    await using folder = await commandFolderOn(engine, {
      GATELODGE_SMTP_URL: `smtp://127.0.0.1:${mailServer.smtp.port}`,
      GATELODGE_PASSWORD_MIN_LENGTH: '15',
    })
    const { origin } = await folder.serve()
    const { status, stdout } = await folder.run(['doctor', '--public-url', origin])
    await mailServer.close()

    assert.equal(status, 0)
    assert.doesNotMatch(stdout, /WARN|FAIL|What to do/)
  })

  test('an empty folder is ready for a first start, and is left unchanged', async () => {
    await using folder = await commandFolderOn(engine)
    const { status, of } = await examine(folder)
    assert.deepEqual([status, of('database'), of('secret file'), of('mail')], [0, 'ok', 'ok', 'warn'])
    assert.deepEqual((await examine(folder)).of('database'), 'ok')
    assert.equal((await folder.run('backup x.db')).status, 1)
  })

  test('a schema that no server has used yet needs no secret', async () => {
    await using folder = await commandFolderOn(engine)
    await folder.run('migrate up')
    rmSync(join(folder.path, 'data/secret'), { force: true })
    const { status, of } = await examine(folder)
    assert.deepEqual([status, of('database'), of('secret')], [0, 'ok', 'ok'])
  })

  test('unwise settings cause warnings and no failure', async () => {
    await using folder = await commandFolderOn(engine, {
      GATELODGE_RATE_LIMITS: 'off',
      GATELODGE_ENUMERATION: 'explicit',
    })
    const { status, of } = await examine(folder)
    assert.deepEqual([status, of('settings'), of('passwords'), of('public URL')], [0, 'warn', 'warn', 'warn'])

    const smtp = ['--smtp-url', 'smtp://127.0.0.1:1']
    const proxied = await examine(folder, '--public-url', 'https://auth.invalid', ...smtp)
    assert.equal(proxied.of('proxies'), 'warn')
    const trusted = await examine(
      folder,
      '--public-url',
      'https://auth.invalid',
      '--trusted-proxies',
      '10.0.0.1',
      ...smtp,
    )
    assert.equal(trusted.of('proxies'), 'ok')
  })

  test('doctor reports invalid settings first', async () => {
    await using folder = await commandFolderOn(engine, { GATELODGE_LISTEN: 'nowhere' })
    const { status, of } = await examine(folder)
    assert.deepEqual([status, of('settings'), of('database')], [1, 'fail', undefined])
  })

  test('a missing, damaged or wrong secret fails', async () => {
    await using folder = await commandFolderOn(engine)
    await folder.json('user list')
    assert.equal((await examine(folder)).of('secret'), 'ok')
    assert.equal((await examine(folder, '--secret', 'x'.repeat(32))).of('secret'), 'fail')

    writeFileSync(join(folder.path, 'data/secret'), 'short')
    assert.equal((await examine(folder)).of('secret'), 'fail')
    rmSync(join(folder.path, 'data/secret'))
    assert.equal((await examine(folder)).of('secret'), 'fail')
  })

  test('a clock that was set back fails, and mails that are not delivered cause a warning', async () => {
    await using folder = await commandFolderOn(engine)
    await folder.json('user create --email ada@example.com --invite')
    const store = await openLocation(folder.database)
    const now = Date.now()
    await store.transaction(async (db) => {
      await db
        .updateTable('events')
        .set({ at: now + day })
        .execute()
      await db
        .updateTable('mails')
        .set({ next_attempt_at: now - day })
        .execute()
    })
    await store.close()

    const { status, of } = await examine(folder)
    assert.deepEqual([status, of('clock'), of('outbox')], [1, 'fail', 'warn'])
  })

  test('an untrusted peer that recently sent forwarding headers is named', async () => {
    await using folder = await commandFolderOn(engine)
    await folder.json('user create --email ada@example.com --invite')
    const asked = async (at: number) => {
      const store = await openLocation(folder.database)
      const row = { at, name: 'proxy.untrusted', data: '{"peer":"192.0.2.7"}' } as const
      await store.transaction((db) => db.updateTable('events').set(row).execute())
      await store.close()
      return (await folder.run('doctor --public-url http://localhost:9')).stdout
    }
    const now = Date.now()
    assert.match(await asked(now - 3 * day), /forwarding headers.*no untrusted peer/)
    const told = await asked(now - day)
    assert.match(told, /192\.0\.2\.7 sent one/)
    assert.match(told, /set GATELODGE_TRUSTED_PROXIES to its address/)
  })

  test('a mail server that cannot be used fails', async () => {
    await using folder = await commandFolderOn(engine, { GATELODGE_SMTP_URL: 'smtp://127.0.0.1:1' })
    const { status, of } = await examine(folder)
    assert.deepEqual([status, of('mail')], [1, 'fail'])
  })

  test('another server at the public URL fails', async () => {
    const stranger = createServer((_, response) => response.end('{}')).listen(0, '127.0.0.1')
    await once(stranger, 'listening')
    await using folder = await commandFolderOn(engine)
    const { port } = stranger.address() as AddressInfo
    const { status, of } = await examine(folder, '--public-url', `http://127.0.0.1:${port}`)
    stranger.closeAllConnections()
    stranger.close()
    assert.deepEqual([status, of('public URL')], [1, 'fail'])
  })
})

test('files readable by others fail, a folder that others may enter causes a warning', async () => {
  await using folder = commandFolder()
  await folder.json('user list')
  chmodSync(join(folder.path, 'data'), 0o755)
  chmodSync(join(folder.path, 'data/secret'), 0o640)
  chmodSync(join(folder.path, 'data/gatelodge.db'), 0o604)
  const { status, of } = await examine(folder)
  assert.deepEqual([status, of('data folder'), of('secret file'), of('database file')], [1, 'warn', 'fail', 'fail'])
})

test('a file that is not a database fails, a database without its schema causes a warning', async () => {
  await using folder = commandFolder()
  writeFileSync(join(folder.path, 'text.db'), 'no database at all, but long enough to have a header to look at')
  const broken = await examine(folder, '--database', 'sqlite:text.db')
  assert.deepEqual([broken.status, broken.of('database')], [1, 'fail'])

  writeFileSync(join(folder.path, 'empty.db'), '', { mode: 0o600 })
  const empty = await examine(folder, '--database', 'sqlite:empty.db')
  assert.deepEqual([empty.status, empty.of('database')], [0, 'warn'])
})

test('a PostgreSQL server whose clock differs causes a warning, and an unreachable one is reported with the reason', async () => {
  const database = await freshPostgresDatabase()
  await using folder = commandFolder({ GATELODGE_DATABASE: database.url })
  await folder.json('user list')
  assert.equal((await examine(folder)).of('database clock'), 'ok')

  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  const name = new URL(database.url).pathname.slice(1)
  await client.query(`create function public.clock_timestamp() returns timestamptz language sql
    as 'select pg_catalog.now() - interval ''1 minute'''`)
  await client.query(`alter database ${name} set search_path = public, pg_catalog`)
  const slow = await examine(folder)
  assert.deepEqual([slow.status, slow.of('database clock')], [0, 'warn'])
  await client.query(`alter database ${name} reset search_path; drop function public.clock_timestamp()`)
  await client.end()
  await database.release()

  const nowhere = `postgres://ada:hidden-password@127.0.0.1:${await freePort()}/g`
  const { status, stdout } = await folder.run(['doctor', '--database', nowhere])
  assert.equal(status, 1)
  assert.match(stdout, /PostgreSQL: nothing is listening at its address/)
  const serve = await folder.run(['serve', '--database', nowhere, '--listen', '127.0.0.1:0'])
  assert.equal(serve.status, 1)
  assert.match(
    serve.stderr,
    /^gatelodge: PostgreSQL: nothing is listening at its address: start PostgreSQL, or correct/m,
  )
  const shown = await folder.run(['config', '--database', nowhere])
  assert.doesNotMatch(stdout + serve.stdout + serve.stderr + shown.stdout, /hidden-password/)
})
