import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, type TestApp, testApp } from '../../../test/support/app.ts'
import { type TableName, tables } from '../../../test/support/attack.ts'
import { toIso } from '../../kernel/clock.ts'
import type { UserId } from '../../kernel/ids.ts'

/** Where a column appears in the export, or why it is left out. */
type Place = { readonly in: string } | { readonly out: string }

const at = (path: string): Place => ({ in: path })
const out = (reason: string): Place => ({ out: reason })

const secret = out('a secret, or what proves one')
const reference = out('joins rows to each other and says nothing of the person')
const ofLinks = out('about a mailed link; the addresses that it is for are told')

/** Every column of every table. Columns about a user are exported, or left out for a stated reason. */
const places: Readonly<Record<TableName, Readonly<Record<string, Place>> | { readonly none: string }>> = {
  users: {
    id: at('user.id'),
    email: at('user.email'),
    email_verified_at: at('account.email_verified_at'),
    username: at('user.username'),
    first_name: at('user.first_name'),
    last_name: at('user.last_name'),
    password_hash: secret,
    password_changed_at: at('account.password_changed_at'),
    is_active: at('user.is_active'),
    is_staff: at('user.is_staff'),
    avatar_url: at('user.avatar_url'),
    signup_browser_hash: secret,
    may_sign_in_unverified: out('how the account was made, and no fact about its person'),
    must_change_password: out('how the account was made, and no fact about its person'),
    created_at: at('user.created_at'),
    last_login_at: at('user.last_login_at'),
    recovery_since: at('account.recovery_since'),
  },
  profiles: {
    user_id: reference,
    phone_number: at('user.profile.phone_number'),
    website: at('user.profile.website'),
    github_link: at('user.profile.github_link'),
    birth_date: at('user.profile.birth_date'),
    locale: at('user.profile.locale'),
  },
  user_roles: { user_id: reference, role: at('user.roles[]') },
  usernames: {
    username: at('user.username'),
    user_id: reference,
    email: out('of names that sign-ups reserve for a day, which anybody may make with any address'),
    expires_at: out('of names that sign-ups reserve'),
  },
  email_reservations: { email: at('addresses[].email'), user_id: reference, expires_at: at('addresses[].until') },
  one_time_tokens: {
    id: reference,
    purpose: ofLinks,
    secret_hash: secret,
    user_id: reference,
    signup_id: reference,
    email: at('addresses[].email'),
    created_at: ofLinks,
    expires_at: at('addresses[].until'),
    spent_at: ofLinks,
    session_id: reference,
    since: ofLinks,
  },
  sessions: {
    id: at('sessions[].id'),
    user_id: reference,
    kind: out('how the program holds it'),
    secret_hash: secret,
    created_at: at('sessions[].created_at'),
    last_seen_at: at('sessions[].last_seen_at'),
    expires_at: out('the export tells the end that comes first, which may be the idle one'),
    authenticated_at: out('the event of the sign-in has it'),
    methods: at('sessions[].methods'),
    assurance: at('sessions[].assurance'),
    remember: out('seen from the end of the session'),
    ip: at('sessions[].ip'),
    user_agent: at('sessions[].user_agent'),
  },
  known_devices: {
    user_id: reference,
    device_id: secret,
    place: secret,
    last_seen_at: at('devices[].last_seen_at'),
  },
  events: {
    id: at('events[].id'),
    name: at('events[].name'),
    at: at('events[].at'),
    user_id: reference,
    actor_id: out('may name another person'),
    session_id: reference,
    request_id: reference,
    ip: at('events[].ip'),
    user_agent: at('events[].user_agent'),
    data: at('events[].data'),
  },
  api_tokens: {
    id: at('api_tokens[].id'),
    user_id: reference,
    name: at('api_tokens[].name'),
    secret_hash: secret,
    scopes: at('api_tokens[].scopes'),
    created_at: at('api_tokens[].created_at'),
    expires_at: at('api_tokens[].expires_at'),
    last_used_at: at('api_tokens[].last_used_at'),
  },
  sign_in_tickets: { none: 'of a sign-in that is under way, for ten minutes; its event is exported' },
  pending_signups: { none: 'of addresses without an account, for a day; who proves the address gets the account' },
  refresh_tokens: { none: 'secrets of the exported sessions' },
  limit_counters: { none: 'numbers under keyed hashes, which name no user' },
  mails: { none: 'sealed until they are delivered, then without content and address' },
  signing_keys: { none: 'of the operator' },
  service_clients: { none: 'of the operator' },
  revoked_tokens: { none: 'of services' },
  jobs: { none: 'of the program' },
  avatar_removals: { none: 'names of files that belong to no account' },
}

/** Columns in which the user of the test has nothing: no picture, no role, no used token, and an account in recovery has no session. */
const unknown = ['users.avatar_url', 'users.recovery_since', 'user_roles.role', 'api_tokens.last_used_at']

forEachDatabase('the export', (engine) => {
  test('every column of the schema is exported or left out for a reason', async () => {
    await using app = await testApp({ engine })
    const described = await app.deps.store.migrationDb.introspection.getTables()
    const columns = Object.fromEntries(described.map(({ name, columns }) => [name, columns.map(({ name }) => name)]))
    for (const table of tables) {
      const told = places[table]
      if (!('none' in told)) assert.deepEqual(Object.keys(told).sort(), columns[table]?.toSorted(), table)
    }
  })

  test('every column listed as exported is in the export of a user with a value in each', async () => {
    await using app = await testApp({ engine })
    const { exported, rowsOf } = await knownPerson(app)
    const unseen = new Set<string>()
    for (const table of tables) {
      const told = places[table]
      if ('none' in told) continue
      const rows = await rowsOf(table)
      for (const [column, place] of Object.entries(told)) {
        if (!('in' in place)) continue
        const there = valuesAt(exported, place.in)
        if (rows.every((row) => row[column] === null)) unseen.add(`${table}.${column}`)
        for (const row of rows) {
          const forms = formsOf(row[column])
          assert.ok(
            there.some((value) => forms.includes(JSON.stringify(value))),
            `${table}.${column}: ${JSON.stringify(row[column])} is not at ${place.in}`,
          )
        }
      }
    }
    assert.deepEqual([...unseen], unknown)
  })
})

/** Returns a user with a value in every column, the export, and the rows about the user. */
async function knownPerson(app: TestApp) {
  const ada = await app.user({ username: 'ada' })
  const id = ada.id as UserId
  const { access: bearer } = await app.tokens(ada)
  const profile = {
    phone_number: '+12025550123',
    website: 'https://ada.example',
    github_link: 'https://github.com/ada',
    birth_date: '1985-12-10',
  }
  const names = { first_name: 'Ada', last_name: 'King', profile: { ...profile, locale: 'de' } }
  assert.equal((await app.patch('/me', names, { bearer })).status, 200)
  const token = { name: 'script', scopes: ['profile:read'], expires_in: 86_400 }
  assert.ok((await app.post('/me/tokens', token, { bearer })).status < 300)
  const change = (address: string) =>
    app.post('/change-email', { new_email: address, password: ada.password }, { bearer })
  await change('former-to@example.com')
  const { text = '' } = (await app.mails('former-to@example.com')).at(-1) ?? {}
  const link = /token=([^\s&]+)/.exec(text)?.[1]
  assert.equal((await app.post('/change-email/confirm', { token: link }, { bearer })).status, 200)
  const here = await app.tokens({ ...ada, email: 'former-to@example.com' })
  const asked = { new_email: 'pending@example.com', password: ada.password }
  assert.equal((await app.post('/change-email', asked, { bearer: here.access })).status, 202)
  await app.mails('pending@example.com')
  const exported = (await app.get('/me/export', { bearer: here.access })).json

  const isOurs = (table: TableName, row: Record<string, unknown>) => {
    if (table === 'users') return row['id'] === id
    if (table === 'events' && row['name'] === 'user.exported') return false // written by the export itself
    if (table === 'one_time_tokens' && row['purpose'] !== 'email_change') return false // sent to addresses that are notified
    return row['user_id'] === id && row['spent_at'] == null
  }
  return {
    exported,
    rowsOf: async (table: TableName) =>
      ((await app.rows(table)) as Record<string, unknown>[]).filter((row) => isOurs(table, row)),
  }
}

/** Returns the values at a path of the export, such as `sessions[].ip`. */
function valuesAt(exported: unknown, path: string): unknown[] {
  return path.split('.').reduce<unknown[]>(
    (values, step) => {
      const name = step.replace('[]', '')
      const found = values.map((value) => (value as Record<string, unknown>)[name])
      return step.endsWith('[]') ? found.flat() : found
    },
    [exported],
  )
}

/** Returns the JSON forms in which a stored value may appear in the export. */
function formsOf(stored: unknown): string[] {
  const forms: unknown[] = [stored]
  if (typeof stored === 'number') forms.push(stored < 2 ? stored === 1 : toIso(stored))
  if (typeof stored === 'string') forms.push(stored.split(' '))
  const json = forms.map((form) => JSON.stringify(form))
  return typeof stored === 'string' ? [...json, stored] : json
}
