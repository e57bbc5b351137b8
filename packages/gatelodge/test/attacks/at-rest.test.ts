import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { sql } from 'kysely'
import { commands } from '../../src/cli/commands/index.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { composeTest, type Engine, forEachDatabase, TestApp } from '../support/app.ts'
import { linkOf, type TableName, tables } from '../support/attack.ts'
import { commandFolderOn } from '../support/cli.ts'
import { freshDatabase } from '../support/databases.ts'
import { type LogLine, testClock, testSecret } from '../support/deps.ts'

/** Returns the byte forms in which a secret might be stored. */
function formsOf(secret: string): Buffer[] {
  const parts = secret.includes('.') ? [secret, secret.split('.').at(-1) ?? secret] : [secret]
  return parts.flatMap((part) => {
    const bytes = Buffer.from(part)
    const forms = [
      part,
      bytes.toString('hex'),
      bytes.toString('base64').replace(/=+$/, ''),
      bytes.toString('base64url'),
      encodeURIComponent(part),
    ]
    const decoded = /^[\w-]{43}$/.test(part) ? Buffer.from(part, 'base64url') : undefined
    const inner = decoded
      ? [decoded, Buffer.from(decoded.toString('hex')), Buffer.from(decoded.toString('base64').replace(/=+$/, ''))]
      : []
    return [...forms.map((form) => Buffer.from(form)), Buffer.from(part, 'utf16le'), ...inner]
  })
}

/** Returns the names of secrets that occur in some of these bytes, and where. */
function findings(secrets: Readonly<Record<string, string>>, places: Readonly<Record<string, Buffer>>): string[] {
  return Object.entries(secrets).flatMap(([name, secret]) => {
    const forms = formsOf(secret)
    return Object.entries(places)
      .filter(([, bytes]) => forms.some((form) => bytes.includes(form)))
      .map(([place]) => `${name} in ${place}`)
  })
}

/** Creates an app with access to everything that its database stores: the rows of every table, and on SQLite the bytes of its files. */
async function databaseFiles(engine: Engine) {
  const database = await freshDatabase(engine)
  const logged: LogLine[] = []
  const clock = testClock()
  const env = { GATELODGE_RATE_LIMITS: 'off' }
  const app = new TestApp(await composeTest({ database: database.location, env }, clock, logged), clock, logged)
  return {
    app,
    places: async () => ({ ...(engine === 'sqlite' && filesOf(database.location.slice(7))), ...(await rowsOf(app)) }),
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]()
      await database.release()
    },
  }
}

function filesOf(database: string): Record<string, Buffer> {
  const files = ['', '-wal', '-shm'].filter((end) => existsSync(database + end))
  assert.ok(files.includes('-wal'))
  return Object.fromEntries(files.map((end) => [`database${end}`, readFileSync(database + end)]))
}

async function rowsOf(app: TestApp): Promise<Record<string, Buffer>> {
  const found = await Promise.all(tables.map(async (table) => [table, JSON.stringify(await app.rows(table))] as const))
  return Object.fromEntries(found.map(([table, rows]) => [table, Buffer.from(rows)]))
}

/** Does everything that a user can do, and returns the secrets this creates. */
async function wholeLife(app: TestApp): Promise<{ secrets: Record<string, string>; bearer: string }> {
  const secrets: Record<string, string> = {
    password: 'a quiet harbour 52',
    firstReset: 'a second harbour 53',
    changed: 'a third harbour 54',
    recovered: 'a fourth harbour 55',
    guess: 'a wrong harbour 99',
  }
  const tokenOf = async (address: string, kind: string) =>
    linkOf((await app.mails(address)).filter((mail) => mail.kind === kind).at(-1)?.text ?? '').token
  const email = 'old@example.com'
  const signUp = await app.post('/signup', {
    email,
    password: secrets['password'],
    username: 'ada',
    fullname: 'Ada King',
  })
  secrets['signUpCookie'] = signUp.cookie('gatelodge-signup') ?? ''
  await app.post(
    '/verify-email/resend',
    { email },
    { headers: { cookie: `gatelodge-signup=${secrets['signUpCookie']}` } },
  )
  secrets['verification'] = await tokenOf(email, 'verification')
  assert.equal(
    (await app.post('/verify-email', { token: secrets['verification'], password: secrets['password'] })).status,
    200,
  )

  await app.post('/signin', { email, password: secrets['guess'] })
  const byCookie = await app.post('/signin', {
    email,
    password: secrets['password'],
    session: 'cookie',
    remember: true,
  })
  secrets['sessionCookie'] = byCookie.cookie('gatelodge') ?? ''
  secrets['deviceCookie'] = byCookie.cookie('gatelodge-device') ?? ''
  const first = await app.post('/signin', { identifier: 'ada', password: secrets['password'] })
  secrets['access'] = first.json.access_token
  secrets['spentRefresh'] = first.json.refresh_token
  const second = await app.post('/refresh', { refresh_token: secrets['spentRefresh'] })
  secrets['refreshedAccess'] = second.json.access_token
  secrets['refresh'] = second.json.refresh_token

  await app.post('/forgot-password', { email })
  secrets['reset'] = await tokenOf(email, 'password_reset')
  assert.equal(
    (await app.post('/reset-password', { token: secrets['reset'], new_password: secrets['firstReset'] })).status,
    200,
  )
  const third = await app.post('/signin', { email, password: secrets['firstReset'] })
  const bearer = third.json.access_token
  await app.post(
    '/change-password',
    { old_password: secrets['firstReset'], new_password: secrets['changed'] },
    { bearer },
  )
  await app.patch('/me', { first_name: 'Augusta', profile: { locale: 'en' } }, { bearer })

  await app.post('/change-email', { new_email: 'new@example.com', password: secrets['changed'] }, { bearer })
  secrets['change'] = await tokenOf('new@example.com', 'email_change')
  assert.equal((await app.post('/change-email/confirm', { token: secrets['change'] }, { bearer })).status, 200)
  secrets['undo'] = await tokenOf(email, 'email_changed')
  assert.equal((await app.post('/change-email/undo', { token: secrets['undo'] })).status, 200)
  secrets['resetAfterUndo'] = await tokenOf(email, 'email_restored')
  const recovered = { token: secrets['resetAfterUndo'], new_password: secrets['recovered'] }
  assert.equal((await app.post('/reset-password', recovered)).status, 200)

  // What is live and unused at the end: a waiting email, a reset link, a session of each kind, a pending sign-up.
  const last = await app.post('/signin', { email, password: secrets['recovered'] })
  secrets['lastAccess'] = last.json.access_token
  secrets['lastRefresh'] = last.json.refresh_token
  const lastCookie = await app.post('/signin', { email, password: secrets['recovered'], session: 'cookie' })
  secrets['lastCookie'] = lastCookie.cookie('gatelodge') ?? ''
  secrets['pendingPassword'] = 'a pending harbour 88'
  const pending = await app.post('/signup', { email: 'eve@example.com', password: secrets['pendingPassword'] })
  secrets['pendingCookie'] = pending.cookie('gatelodge-signup') ?? ''
  secrets['pendingLink'] = await tokenOf('eve@example.com', 'signup')
  const apiToken = await app.post('/me/tokens', { name: 'script' }, { bearer: last.json.access_token })
  secrets['apiToken'] = apiToken.json.token
  const client = await app.client()
  secrets['clientSecret'] = client.secret
  const ofClient = await app.form('/oauth2/token', { grant_type: 'client_credentials' }, client)
  secrets['clientToken'] = ofClient.json.access_token
  await app.form('/oauth2/token', { grant_type: 'x', client_id: client.id, client_secret: client.secret })
  await app.form('/oauth2/introspect', { token: secrets['apiToken'] ?? '' }, client)
  await app.post('/forgot-password', { email })
  return { secrets, bearer: last.json.access_token }
}

forEachDatabase('secrets at rest', (engine) => {
  test('after all flows no secret lies in the database, its log, the log of the server or any listing', async () => {
    await using stored = await databaseFiles(engine)
    const { app } = stored
    const { secrets, bearer } = await wholeLife(app)
    for (const [name, secret] of Object.entries(secrets)) assert.ok(secret.length >= 16, name)
    assert.equal(new Set(Object.values(secrets)).size, Object.keys(secrets).length)

    const listings: Record<string, Buffer> = { log: Buffer.from(JSON.stringify(app.logged)) }
    for (const path of [
      '/me',
      '/session',
      '/validate',
      '/me/sessions',
      '/me/events',
      '/me/tokens',
      '/me/export',
      '/openapi.json',
      '/docs',
      '/readyz',
      '/.well-known/jwks.json',
    ]) {
      const told = await app.get(path, { bearer })
      assert.equal(told.status, 200, path)
      listings[path] = Buffer.from(told.text)
      assert.doesNotMatch(told.text, /argon2id\$|"password_hash"|secret_hash/, path)
    }
    assert.deepEqual(findings(secrets, { ...(await stored.places()), ...listings }), [])

    // The search can find secrets: each one, once planted, in one form or another.
    for (const [index, [name, secret]] of Object.entries(secrets).entries()) {
      const forms = [secret, Buffer.from(secret).toString('hex'), Buffer.from(secret).toString('base64')]
      await sql`update profiles set website = ${forms[index % forms.length]}`.execute(app.deps.store.migrationDb)
      const found = findings({ [name]: secret }, await stored.places())
      for (const place of engine === 'sqlite' ? ['profiles', 'database'] : ['profiles'])
        assert.ok(
          found.some((line) => line.startsWith(`${name} in ${place}`)),
          `${name} was planted in ${place} and not found`,
        )
    }
  })
})

test('erased data is gone from the SQLite file after a checkpoint: freed pages are wiped', async () => {
  await using stored = await databaseFiles('sqlite')
  const { migrationDb } = stored.app.deps.store
  const secrets = { erased: randomBytes(32).toString('base64url') }
  for (let row = 0; row < 400; row += 1) {
    await sql`insert into limit_counters values (${`${secrets.erased} ${row}`}, 0, 0, 0, 0)`.execute(migrationDb)
  }
  await sql`pragma wal_checkpoint(truncate)`.execute(migrationDb)
  const found = async () => findings(secrets, await stored.places())
  assert.ok((await found()).includes('erased in database'))
  await sql`delete from limit_counters`.execute(migrationDb)
  await sql`pragma wal_checkpoint(truncate)`.execute(migrationDb)
  assert.deepEqual(await found(), [])
})

/** Secrets in settings, with a mail server and a bucket that no listing contacts. */
const settingSecrets = {
  secret: testSecret,
  mailPassword: 'a-password-of-the-mail-server',
  bucketKeyId: 'the-key-id-of-the-bucket',
  bucketKey: 'the-secret-key-of-the-bucket',
}
const secretSettings = {
  GATELODGE_SECRET: settingSecrets.secret,
  GATELODGE_SMTP_URL: `smtp://mailer:${settingSecrets.mailPassword}@127.0.0.1:9`,
  GATELODGE_AVATARS: 's3://avatars?endpoint=http://127.0.0.1:9&region=eu',
  GATELODGE_AVATARS_KEY_ID: settingSecrets.bucketKeyId,
  GATELODGE_AVATARS_SECRET_KEY: settingSecrets.bucketKey,
}

/** Returns everything that is stored as a hash or sealed, by where it is stored. */
async function storedSecrets(app: TestApp): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const table of tables) {
    for (const [at, row] of (await app.rows(table)).entries()) {
      for (const [column, value] of Object.entries(row))
        if (/hash|sealed/.test(column) && typeof value === 'string') found[`${table}.${column} ${at}`] = value
    }
  }
  return found
}

/** Returns the lines of all emails that are long enough to be distinguished from other words. */
function wordsOfMails(app: TestApp): string[] {
  const lines = (app.deps.mailbox?.entries() ?? []).flatMap(({ text }) => text.split('\n'))
  return lines.map((line) => line.trim()).filter((line) => line.length >= 24)
}

forEachDatabase('secrets in listings', (engine) => {
  test('no listing of the command line holds a password, a hash, a secret, a token or the words of a mail', async () => {
    await using folder = await commandFolderOn(engine, secretSettings)
    const clock = testClock(systemClock.now()) // that of commands; otherwise they would find no session alive
    const env = { GATELODGE_RATE_LIMITS: 'off' }
    const composition = await composeTest({ database: folder.database, env }, clock, [])
    await using app = new TestApp(composition, clock, [])
    const { secrets } = await wholeLife(app)
    const stored = await storedSecrets(app)
    const columns = Object.keys(stored).map((place) => place.split(' ')[0])
    for (const column of [
      ...['users.password_hash', 'sessions.secret_hash', 'one_time_tokens.secret_hash', 'api_tokens.secret_hash'],
      ...['service_clients.secret_hash', 'signing_keys.private_sealed', 'mails.sealed'],
    ]) {
      assert.ok(columns.includes(column), column)
    }

    const first = async (table: TableName, column = 'id') => String((await app.rows(table))[0]?.[column])
    const user = await first('users')
    // What each listing must show, so that no empty listing is searched.
    const shown: Readonly<Record<string, string>> = {
      config: '********',
      'migrate status': '0001-initial',
      'migrate plan': '',
      'user list': user,
      'user show': user,
      'user export': await first('api_tokens'),
      'client list': await first('service_clients'),
      'keys list': await first('signing_keys', 'kid'),
      'mail list': await first('mails'),
    }
    const listings = commands.filter(({ name }) => /^config$| (?:list|show|export|status|plan)$/.test(name))
    const places: Record<string, Buffer> = {}
    for (const { name, operands, options } of listings) {
      const isCut = 'wide' in options
      for (const flags of ['--json', '', ...(isCut ? ['--wide'] : [])]) {
        const command = [name, ...operands.map(() => 'ada'), flags].join(' ').trim()
        const { status, stdout, stderr } = await folder.run(command)
        assert.equal(status, 0, stderr)
        const word = shown[name] ?? 'a word in the table above'
        assert.ok(stdout.includes(isCut && flags === '' ? word.slice(-12) : word), `${command}: ${stdout}`)
        places[command] = Buffer.from(stdout + stderr)
      }
    }
    assert.deepEqual(listings.map(({ name }) => name).toSorted(), Object.keys(shown).toSorted())
    assert.ok(Object.keys(places).length > 2 * listings.length)
    assert.deepEqual(findings({ ...secrets, ...settingSecrets, ...stored }, places), [])

    const words = wordsOfMails(app)
    assert.ok(words.length > 20)
    const text = Buffer.concat(Object.values(places)).toString()
    assert.deepEqual(
      words.filter((line) => text.includes(line) || text.includes(JSON.stringify(line).slice(1, -1))),
      [],
    )
    assert.doesNotMatch(`${places['mail list --json']}${places['mail list']}`, /@/)
  })
})
