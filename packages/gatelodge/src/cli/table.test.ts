import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase } from '../../test/support/app.ts'
import { commandFolder, commandFolderOn } from '../../test/support/cli.ts'
import { day, hour, minute, second } from '../kernel/clock.ts'
import { relativeTime, tableOf } from './table.ts'

forEachDatabase('tables', (engine) => {
  test('every table fits 100 columns, and --wide cuts nothing off', async () => {
    await using folder = await commandFolderOn(engine)
    const email = `${'a'.repeat(60)}@${'b'.repeat(60)}.example.com`
    const names = ['--first-name', 'x'.repeat(120), '--last-name', 'y'.repeat(120), '--username', 'u'.repeat(30)]
    assert.equal((await folder.run(['user', 'create', '--email', email, '--invite', ...names])).status, 0)
    const scopes = Array.from({ length: 20 }, (_, index) => `orders-${index}:write`).join(' ')
    const { client_id } = JSON.parse(
      (await folder.run(['client', 'create', 'n'.repeat(40), '--scope', scopes, '--json'])).stdout,
    )
    const { users } = await folder.json<{ users: { id: string; created_at: string }[] }>('user list')
    const { mails } = await folder.json<{ mails: { id: string; created_at: string }[] }>('mail list')
    const { keys } = await folder.json<{ keys: { kid: string; signs_from: string }[] }>('keys rotate')

    const whole = {
      'user list': [users[0]?.id, users[0]?.created_at, email, 'x'.repeat(120)],
      'mail list': [mails[0]?.id, mails[0]?.created_at],
      'client list': [client_id, scopes],
      'keys list': [keys[0]?.kid, keys[0]?.signs_from],
      'migrate status': [new Date().toISOString().slice(0, 10)],
      [`config --service-name ${'s'.repeat(64)}`]: ['s'.repeat(64)],
    }
    for (const [command, values] of Object.entries(whole)) {
      const narrow = await folder.run(command)
      assert.equal(narrow.status, 0, narrow.stderr)
      assert.deepEqual(
        narrow.stdout.split('\n').filter((line) => line.length > 100),
        [],
      )
      const wide = await folder.run(`${command} --wide`)
      assert.doesNotMatch(wide.stdout, /…/)
      for (const value of values) assert.ok(value && wide.stdout.includes(value), `${command}: ${value}`)
    }
    assert.ok((await folder.run('client list')).stdout.includes(client_id))
    assert.match(
      (await folder.run('user list')).stdout,
      new RegExp(`seconds? ago +…${users[0]?.id.slice(-12)}$|now +…`, 'm'),
    )
  })
})

test('the findings of doctor fit 100 columns; a long one continues below its beginning', async () => {
  await using folder = commandFolder({ GATELODGE_PUBLIC_URL: 'nowhere' })
  const { stdout } = await folder.run('doctor')
  assert.deepEqual(
    stdout.split('\n').filter((line) => line.length > 100),
    [],
  )
  assert.match(stdout, /^FAIL {2}settings {2}GATELODGE_PUBLIC_URL must .*\n {16}\S.*name or wildcard$/m)
})

test('a time is shown in its largest unit, in the past and in the future', () => {
  const now = Date.parse('2026-03-01T12:00:00Z')
  const cases = [
    [0, 'now'],
    [-999, 'now'],
    [-second, '1 second ago'],
    [-minute, '1 minute ago'],
    [-(2 * hour + 59 * minute), '2 hours ago'],
    [-29 * day, '29 days ago'],
    [-45 * day, '1 month ago'],
    [-800 * day, '2 years ago'],
    [5 * minute, 'in 5 minutes'],
  ] as const
  assert.deepEqual(
    cases.map(([distance]) => relativeTime(now + distance, now)),
    cases.map(([, text]) => text),
  )
})

test('a table that fits is not cut, and an empty one says so', () => {
  const table = tableOf({ wide: false })
  assert.equal(table.print(['A', 'B'], [['a'.repeat(49), 'b'.repeat(49)]], 'None.').includes('…'), false)
  assert.equal(table.print(['A', 'B'], [['a'.repeat(49), 'b'.repeat(50)]], 'None.').split('\n')[1]?.length, 100)
  assert.match(table.print(['A'], [['🔑'.repeat(101)]], 'None.'), /^A\n(?:🔑){99}…$/u)
  assert.equal(table.print(['A', 'B'], [], 'None.'), 'None.')
})
