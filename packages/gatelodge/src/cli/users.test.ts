import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase } from '../../test/support/app.ts'
import type { CommandFolder } from '../../test/support/cli.ts'
import { commandFolderOn } from '../../test/support/cli.ts'
import { openLocation } from '../../test/support/databases.ts'
import type { Instant } from '../kernel/clock.ts'

interface UserAnswer {
  readonly user: {
    id: string
    email: string
    email_verified: boolean
    is_active: boolean
    is_staff: boolean
    roles: string[]
  }
}

const password = 'quiet harbour 52'

/** Reads rows directly from the database. */
async function rows({ database }: { readonly database: string }) {
  const store = await openLocation(database)
  try {
    const events = await store.db.selectFrom('events').select(['name', 'data']).orderBy('id').execute()
    const mails = await store.db.selectFrom('mails').select('kind').orderBy('id').execute()
    return {
      events: events.filter(({ name }) => name !== 'key.created').map(({ name, data }) => `${name} ${data}`),
      mails: mails.map(({ kind }) => kind),
    }
  } finally {
    await store.close()
  }
}

async function failure(
  folder: CommandFolder,
  command: string,
  input = '',
): Promise<{ code: string; detail: string; errors: { field: string }[] }> {
  const { status, stdout, stderr } = await folder.run(`${command} --json`, { input })
  assert.deepEqual([status, stdout], [1, ''])
  return JSON.parse(stderr)
}

forEachDatabase('accounts by commands', (engine) => {
  test('an initial password has to be replaced at the first sign-in', async () => {
    await using folder = await commandFolderOn(engine)
    const refused = await folder.run('user create --email a@example.com --invite --must-change-password')
    assert.equal(refused.status, 2)
    assert.match(refused.stderr, /--must-change-password needs --password-stdin/)
    await folder.json('user create --email ada@example.com --password-stdin --must-change-password', `${password}\n`)
    const store = await openLocation(folder.database)
    const columns = ['must_change_password', 'may_sign_in_unverified'] as const
    const user = await store.db.selectFrom('users').select(columns).executeTakeFirst()
    await store.close()
    assert.deepEqual({ ...user }, { must_change_password: 1, may_sign_in_unverified: 1 })
  })

  test('commands create, change and delete an account, and each step is recorded', async () => {
    await using folder = await commandFolderOn(engine)
    const made = await folder.json<UserAnswer>(
      'user create --email Ada@Example.com --username ada --first-name Ada --last-name Lovelace --password-stdin',
      `${password}\n`,
    )
    assert.deepEqual([made.user.email, made.user.email_verified, made.user.is_active], ['ada@example.com', false, true])

    const named = await Promise.all(
      [made.user.id, 'ADA@example.com', 'ada'].map((who) => folder.json<UserAnswer>(`user show ${who}`)),
    )
    assert.deepEqual(named, [made, made, made])

    assert.equal((await folder.json<UserAnswer>('user deactivate ada')).user.is_active, false)
    await folder.json('user deactivate ada')
    assert.equal((await failure(folder, 'user reset-password ada')).code, 'account_inactive')
    assert.equal((await folder.json<UserAnswer>('user activate ada')).user.is_active, true)
    await folder.json('user activate ada')
    await folder.json('user reset-password ada')

    const copy = await folder.json<{
      user: { id: string }
      sessions: unknown[]
      events: { name: string; at: string }[]
    }>('user export ada')
    assert.equal(copy.user.id, made.user.id)
    assert.ok(copy.events.some(({ name, at }) => name === 'user.created' && at.endsWith('Z')))

    assert.deepEqual(await folder.json('user delete ada --yes'), {
      deleted: { id: made.user.id, email: 'ada@example.com' },
    })
    assert.equal((await failure(folder, 'user show ada')).code, 'user_not_found')
    assert.deepEqual(await rows(folder), {
      events: [
        'user.created {"by":"administrator"}',
        'user.deactivated {"sessions_ended":0}',
        'user.activated {}',
        'password_reset.requested {}',
        'user.exported {}',
        'user.deleted {"by":"administrator"}',
      ],
      mails: ['verification', 'password_reset'],
    })
  })

  test('a user that does not exist is named as the operator typed it', async () => {
    await using folder = await commandFolderOn(engine)
    for (const name of ['show', 'activate', 'deactivate', 'reset-password', 'export', 'delete --yes']) {
      const { status, stderr } = await folder.run(`user ${name} Nil@example.com`)
      assert.deepEqual([status, stderr], [1, 'gatelodge: User not found: Nil@example.com\n'])
      assert.equal((await failure(folder, `user ${name} nil`)).detail, 'User not found: nil')
    }
    const { stderr } = await folder.run('client revoke billing')
    assert.equal(stderr, 'gatelodge: Client not found: billing\n')
  })

  test('user list and user show report which accounts are in recovery', async () => {
    await using folder = await commandFolderOn(engine)
    for (const name of ['ada', 'grace']) await folder.json(`user create --email ${name}@example.com --invite`)
    const store = await openLocation(folder.database)
    const recovery_since = Date.parse('2026-03-01T00:00:00Z') as Instant
    await store.transaction((db) =>
      db.updateTable('users').set({ recovery_since }).where('email', '=', 'ada@example.com').execute(),
    )
    await store.close()

    assert.match((await folder.run('user list')).stdout, /^ada@.* {2}active, in recovery, unverified {2}/m)
    assert.match((await folder.run('user show ada@example.com')).stdout, /^In recovery since +2026-03-01T00:00:00/m)
    assert.doesNotMatch((await folder.run('user show grace@example.com')).stdout, /recovery/)
  })

  test('an invited account has no password, and its mail contains the link to set one', async () => {
    await using folder = await commandFolderOn(engine)
    await folder.json('user create --email ada@example.com --invite')
    assert.deepEqual((await rows(folder)).mails, ['invitation'])
  })

  test('a new account is rejected if its address or username is taken, or its password is too weak', async () => {
    await using folder = await commandFolderOn(engine)
    await folder.json('user create --email ada@example.com --username ada --invite')
    const create = (flags: string, input = '') => failure(folder, `user create ${flags}`, input)

    assert.equal((await create('--email ADA@example.com --invite')).code, 'email_taken')
    assert.equal((await create('--email grace@example.com --username Ada --invite')).code, 'username_taken')
    assert.equal((await create('--email grace --invite')).errors[0]?.field, 'email')
    assert.equal(
      (await create('--email grace@example.com --password-stdin', 'grace@example.com')).errors[0]?.field,
      'password',
    )
    assert.equal(
      (await create(`--email grace@example.com --invite --first-name ${'x'.repeat(151)}`)).errors[0]?.field,
      'first_name',
    )
    assert.equal(
      (await create('--email grace@example.com --invite --last-name \u202eevil')).errors[0]?.field,
      'last_name',
    )
    assert.equal((await folder.json<{ users: unknown[] }>('user list')).users.length, 1)
  })

  test('the setting for usernames applies to commands too', async () => {
    await using required = await commandFolderOn(engine, { GATELODGE_USERNAME: 'required' })
    assert.equal((await failure(required, 'user create --email ada@example.com --invite')).errors[0]?.field, 'username')
    await using off = await commandFolderOn(engine, { GATELODGE_USERNAME: 'off' })
    assert.equal(
      (await failure(off, 'user create --email ada@example.com --username ada --invite')).errors[0]?.field,
      'username',
    )
  })

  test('a list can be searched and limited, and wildcards are taken literally', async () => {
    await using folder = await commandFolderOn(engine)
    for (const name of ['ada', 'grace', 'gra_e'])
      await folder.json(`user create --email ${name}@example.com --first-name ${name.toUpperCase()} --invite`)
    const list = async (flags: string) => {
      const { users, more } = await folder.json<{ users: { email: string }[]; more: boolean }>(`user list ${flags}`)
      return [...users.map(({ email }) => email.split('@')[0]), more]
    }

    assert.deepEqual(await list('--limit 2'), ['gra_e', 'grace', true])
    assert.deepEqual(await list('--search GRA_E'), ['gra_e', false])
    assert.deepEqual(await list('--search %'), [false])
    assert.match((await folder.run('user list --limit 1')).stdout, /more than 1/)
  })

  test('an administrator is verified immediately, and is protected as the last one until there is another', async () => {
    await using folder = await commandFolderOn(engine)
    assert.equal((await failure(folder, 'admin create --email root@example.com')).errors[0]?.field, 'password')
    const { user, created } = await folder.json<UserAnswer & { created: boolean }>(
      'admin create --email root@example.com --password-stdin',
      password,
    )
    assert.deepEqual([created, user.email_verified, user.is_staff, user.roles], [true, true, true, ['administrator']])

    assert.equal((await failure(folder, 'user delete root@example.com --yes')).code, 'last_administrator')
    assert.equal((await failure(folder, 'user deactivate root@example.com')).code, 'last_administrator')
    await folder.json('admin create --email second@example.com --password-stdin', password)
    await folder.json('user deactivate root@example.com')
  })

  test('commands that delete and deactivate all administrators simultaneously leave one', async () => {
    await using folder = await commandFolderOn(engine)
    const emails = Array.from({ length: 6 }, (_, index) => `root${index}@example.com`)
    for (const email of emails) await folder.json(`admin create --email ${email} --password-stdin`, password)
    const told = await Promise.all(
      emails.map(async (email, index) => {
        const command = index % 2 ? `user delete ${email} --yes --json` : `user deactivate ${email} --json`
        const { status, stderr } = await folder.run(command)
        return status === 0 ? 'done' : (JSON.parse(stderr) as { code: string }).code
      }),
    )
    assert.deepEqual(told.toSorted(), [...Array<string>(5).fill('done'), 'last_administrator'])
  })

  test('an account is promoted without a password, once', async () => {
    await using folder = await commandFolderOn(engine)
    await folder.json('user create --email ada@example.com --invite')
    const promote = () => folder.json<UserAnswer & { created: boolean }>('admin create --email ada@example.com')
    const { user, created } = await promote()
    assert.deepEqual([created, user.email_verified, user.is_staff, user.roles], [false, true, true, ['administrator']])
    assert.deepEqual((await promote()).user, user)
    assert.match((await folder.run('admin create --email ada@example.com')).stdout, /is unchanged/)

    const promotions = (await rows(folder)).events.filter((event) => event.startsWith('user.promoted'))
    assert.equal(promotions.length, 1)
  })

  test('an inactive account cannot be promoted', async () => {
    await using folder = await commandFolderOn(engine)
    await folder.json('user create --email ada@example.com --invite')
    await folder.json('user deactivate ada@example.com')
    assert.equal((await failure(folder, 'admin create --email ada@example.com')).code, 'account_inactive')
  })

  test('an account with an unverified address cannot be promoted', async () => {
    await using folder = await commandFolderOn(engine, { GATELODGE_REGISTRATION: 'instant' })
    const server = await folder.serve()
    const signUp = await fetch(`${server.origin}/api/v1/auth/signup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'boss@example.com', password }),
    })
    assert.equal(signUp.status, 201)

    assert.equal((await failure(folder, 'admin create --email boss@example.com')).code, 'email_unverified')
  })

  test('a server sees the changes of a command on its next request', async () => {
    await using folder = await commandFolderOn(engine)
    await folder.json('admin create --email root@example.com --password-stdin', password)
    await folder.json('admin create --email ada@example.com --password-stdin', password)
    const { origin } = await folder.serve()
    const signIn = () =>
      fetch(`${origin}/api/v1/auth/signin`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email: 'ada@example.com', password }),
      })
    const { access_token: token } = (await (await signIn()).json()) as { access_token: string }
    const session = () => fetch(`${origin}/api/v1/auth/session`, { headers: { authorization: `Bearer ${token}` } })
    assert.equal((await session()).status, 200)

    await folder.json('user deactivate ada@example.com')
    assert.equal((await session()).status, 401)
    assert.equal((await signIn()).status, 403)

    await folder.json('user activate ada@example.com')
    assert.equal((await signIn()).status, 200)
  })
})
