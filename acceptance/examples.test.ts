import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { npmFunction } from '../packages/gatelodge/test/support/cli.ts'
import { blocksOf, markdownSection } from '../packages/gatelodge/test/support/markdown.ts'
import { freePort } from '../packages/gatelodge/test/support/postgres.ts'
import {
  copyExample,
  installGatelodge,
  patience,
  type RunningProgram,
  startProgram,
} from '../packages/gatelodge/test/support/programs.ts'
import { smtpServer } from '../packages/gatelodge/test/support/smtp.ts'
import { until } from '../packages/gatelodge/test/support/until.ts'

// Each example as a user copies it: in a separate folder, with only the packed packages that its package.json names.

const root = fileURLToPath(new URL('../', import.meta.url))
const frameworks = ['express', 'fastify', 'hono'] as const
type Framework = (typeof frameworks)[number]
const password = 'quiet harbour 52'
const guarded = ['GET /notes', 'POST /notes', 'GET /admin/notes', 'GET /export'] as const

const closing = new AsyncDisposableStack()
after(() => closing.disposeAsync())

const { folders, program, inbox, gatelodge, server, asking, reader, stranger, apps } = await openWorld().catch(
  async (error) => {
    await closing.disposeAsync() // hooks do not run for a file that fails to load
    throw error
  },
)
const { issuer } = gatelodge

for (const name of frameworks) {
  const { keys, asking: asks } = apps[name]
  const both = [keys, asks]

  test(`${name}: anybody reads the front page, and without a good token nothing else`, async () => {
    const { access_token: good, refresh_token: refresh } = await newPerson(`first-${name}@example.com`)
    const [head, claims, signature = ''] = good.split('.')
    const forged = `${head}.${claims}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
    for (const app of both) {
      assert.deepEqual((await ask(app, 'GET /')).body, { service: 'notes', issuer })
      for (const route of guarded) {
        // A body that is not JSON is not looked at before the token.
        const without = await ask(app, route, { raw: route.startsWith('POST') ? '{' : undefined })
        assert.deepEqual([without.status, without.code], [401, 'not_authenticated'], route)
        assert.equal(without.challenge, `Bearer realm="${issuer}"`)
        assert.match(without.type, /^application\/problem\+json/)
        for (const bad of ['garbage', forged, refresh]) {
          const { status, code, challenge } = await ask(app, route, { token: bad })
          assert.deepEqual([status, code], [401, 'token_invalid'], `${route} ${bad}`)
          assert.equal(challenge, `Bearer realm="${issuer}", error="invalid_token"`)
        }
      }
      assert.equal((await ask(app, 'GET /notes', { token: good })).status, 200)
    }
  })

  test(`${name}: a note is shown only to its author and to administrators, by their role`, async () => {
    const email = `ada-${name}@example.com`
    const ada = await newPerson(email)
    const grace = await newPerson(`grace-${name}@example.com`)
    for (const app of both) {
      const json = { text: 'water the plants', owner: grace.user.id }
      const written = await ask(app, 'POST /notes', { token: ada.access_token, json })
      assert.equal(written.status, 201)
      assert.deepEqual(written.body, { owner: ada.user.id, text: 'water the plants' })
      assert.deepEqual((await ask(app, 'GET /notes', { token: ada.access_token })).body, { notes: [written.body] })
      assert.deepEqual((await ask(app, 'GET /notes', { token: grace.access_token })).body, { notes: [] })
      for (const [raw, status] of [
        ['{}', 400],
        ['{"text":', 400],
        ['{"text": 1}', 400],
        [JSON.stringify({ text: 'x'.repeat(20_000) }), 413],
      ] as const) {
        assert.equal((await ask(app, 'POST /notes', { token: ada.access_token, raw })).status, status)
      }
      const refused = await ask(app, 'GET /admin/notes', { token: ada.access_token })
      assert.deepEqual([refused.status, refused.code], [403, 'insufficient_scope'])
      assert.equal(refused.challenge, `Bearer realm="${issuer}", error="insufficient_scope"`)
    }

    await gatelodge.command(['admin', 'create', '--email', email])
    const admin = (app: RunningProgram, token: string) => ask(app, 'GET /admin/notes', { token })
    assert.equal((await admin(keys, ada.access_token)).status, 403, 'the token says what was true when it was signed')
    assert.equal((await admin(asks, ada.access_token)).status, 200, 'Gatelodge says what is true now')
    const { access_token: refreshed } = await post('/refresh', { refresh_token: ada.refresh_token })
    for (const app of both) {
      const { notes } = (await admin(app, refreshed)).body
      assert.deepEqual(notes, [{ owner: ada.user.id, text: 'water the plants' }])
      assert.equal((await admin(app, grace.access_token)).status, 403)
    }
  })

  test(`${name}: programs get by scope what they may have`, async () => {
    const owner = await newPerson(`owner-${name}@example.com`)
    const other = await newPerson(`other-${name}@example.com`)
    for (const app of both) {
      for (const { access_token } of [owner, other]) {
        assert.equal((await ask(app, 'POST /notes', { token: access_token, json: { text: name } })).status, 201)
      }
      const { body } = await ask(app, 'GET /export', { token: reader })
      assert.deepEqual(ownersIn(body).slice(-2), [owner.user.id, other.user.id])
      for (const token of [stranger, owner.access_token]) {
        const { status, code, challenge } = await ask(app, 'GET /export', { token })
        assert.deepEqual([status, code], [403, 'insufficient_scope'])
        assert.match(challenge ?? '', /error="insufficient_scope", scope="notes:read"$/)
      }
      assert.deepEqual((await ask(app, 'GET /notes', { token: reader })).body, { notes: [] })
      for (const route of ['POST /notes', 'GET /admin/notes'])
        assert.equal((await ask(app, route, { token: reader })).status, 403, route)
      assert.equal((await ask(app, 'GET /notes', { token: stranger })).status, 403)
    }

    const make = (scopes: readonly string[]) => post('/me/tokens', { name, scopes }, owner.access_token)
    const { id, token } = await make(['notes:read'])
    assert.equal((await ask(keys, 'GET /export', { token })).code, 'token_invalid', 'keys cannot tell of API tokens')
    for (const route of ['GET /export', 'GET /notes'])
      assert.deepEqual(ownersIn((await ask(asks, route, { token })).body), [owner.user.id], 'as its owner')
    const writer = (await make(['notes:write'])).token
    assert.equal((await ask(asks, 'POST /notes', { token: writer, json: { text: 'x' } })).body.owner, owner.user.id)
    const bare = (await make([])).token
    const refused = {
      [token]: ['POST /notes', 'GET /admin/notes'],
      [writer]: ['GET /notes', 'GET /admin/notes', 'GET /export'],
      [bare]: guarded,
    }
    for (const [program, routes] of Object.entries(refused))
      for (const route of routes)
        assert.equal((await ask(asks, route, { token: program })).code, 'insufficient_scope', route)
    await api('DELETE', `/me/tokens/${id}`, undefined, owner.access_token)
    assert.equal((await ask(asks, 'GET /export', { token })).status, 401)
  })

  test(`${name}: a sign-out counts at once where Gatelodge is asked, and by keys when the token ends`, async () => {
    const { access_token: token, refresh_token } = await newPerson(`leaving-${name}@example.com`)
    const statuses = () => Promise.all(both.map(async (app) => (await ask(app, 'GET /notes', { token })).status))
    assert.deepEqual(await statuses(), [200, 200])
    await post('/signout', { refresh_token })
    assert.deepEqual(await statuses(), [200, 401])

    await using later = await startApp(name, { NODE_OPTIONS: `--import=${clockAhead(16)}` })
    assert.equal((await ask(later, 'GET /notes', { token })).code, 'token_invalid')
  })

  test(`${name}: with wrong client credentials the app admits no user, and with half of them it does not start`, async () => {
    const { access_token: token } = await newPerson(`patient-${name}@example.com`)
    await using wrong = await startApp(name, { ...asking, CLIENT_SECRET: 'wrong' })
    for (const route of guarded) assert.equal((await ask(wrong, route, { token })).status, 503, route)
    const half = { CLIENT_SECRET: asking.CLIENT_SECRET } // easily mistaken for no credentials
    await assert.rejects(startApp(name, half), /clientId and clientSecret must be set together/)
  })

  test(`${name}: the commands of its README do what it prints`, async () => {
    const readme = readFileSync(join(folders[name], 'README.md'), 'utf8')
    const blocks = blocksOf(markdownSection(readme, 'Try it'))
    const shell = spawn('bash', ['-seu'], { cwd: gatelodge.folder, env: gatelodge.env, timeout: patience })
    shell.stdin.end(
      [npmFunction(program), ...blocks.filter(({ language }) => language === 'sh').map(({ body }) => body)]
        .join('\n')
        .replaceAll('http://localhost:3000', issuer)
        .replaceAll('http://localhost:4000', keys.origin),
    )
    const [stdout, stderr] = await Promise.all([shell.stdout, shell.stderr].map((stream) => stream.toArray()))
    const printed = Buffer.concat(stdout ?? []).toString()
    const shown = blocks.filter(({ language }) => language === 'text').map(({ body }) => body)
    assert.match(printed.replaceAll(issuer, 'http://localhost:3000'), patternOf(shown.join('')), String(stderr))

    const title = (framework: string) => framework.replace(/^./, (letter) => letter.toUpperCase())
    const ofExpress = readFileSync(join(folders.express, 'README.md'), 'utf8')
    assert.equal(readme, ofExpress.replaceAll('express', name).replaceAll('Express', title(name)))
  })
}

test('the copies pass a strict type check by the packed declarations', () => {
  const strict = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: true }
  const compilerOptions = { ...strict, module: 'nodenext', types: ['node'], noEmit: true }
  const files = Object.values(folders).map((folder) => join(folder, 'server.ts'))
  writeFileSync(join(folders.embedded, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', folders.embedded], { encoding: 'utf8' })
  assert.equal(stdout, '')
})

test('while Gatelodge is unavailable, callers that need introspection are rejected, and known keys stay valid', async () => {
  const { access_token: token } = await newPerson('waiting@example.com')
  for (const { keys } of Object.values(apps)) assert.equal((await ask(keys, 'GET /notes', { token })).status, 200)
  await server.end()

  const newcomers = await Promise.all(frameworks.map((name) => startApp(name)))
  try {
    for (const app of [...Object.values(apps).map((modes) => modes.asking), ...newcomers]) {
      assert.equal((await ask(app, 'GET /')).status, 200)
      assert.equal((await ask(app, 'GET /notes')).status, 401)
      for (const route of guarded) {
        const { status, code, type, retryAfter } = await ask(app, route, { token, json: { text: 'x' } })
        assert.deepEqual([status, code, type.split(';')[0]], [503, 'service_unavailable', 'application/problem+json'])
        assert.match(retryAfter ?? '', /^[1-9]\d*$/)
      }
    }
    for (const { keys } of Object.values(apps)) {
      assert.equal((await ask(keys, 'GET /notes', { token })).status, 200)
      assert.equal((await ask(keys, 'GET /notes', { token: 'garbage' })).status, 401)
    }

    closing.use(await gatelodge.start())
    for (const app of [...Object.values(apps).map((modes) => modes.asking), ...newcomers]) {
      await until(async () => (await ask(app, 'GET /notes', { token })).status === 200)
    }
  } finally {
    for (const app of newcomers) await app[Symbol.asyncDispose]()
  }
})

test('embedded: a person signs up and in, is greeted by token and by cookie, and both end with the session', async () => {
  const origin = `http://localhost:${await freePort()}`
  const cwd = folders.embedded
  await using app = await startProgram(
    [join(cwd, 'server.ts')],
    { cwd, env: { PORT: new URL(origin).port } },
    `${origin}/healthz`,
  )
  const person = { email: 'ada@example.com', password }
  const on = (path: string, body: object, headers = {}) => send('POST', `${origin}/api/v1/auth${path}`, body, headers)
  const see = async (path: string, headers: Readonly<Record<string, string>> = {}) => {
    const response = await fetch(origin + path, { headers, redirect: 'manual' })
    return [response.status, response.headers.get('location') ?? (await response.text())]
  }
  assert.deepEqual(await see('/hello'), [401, 'Sign in first\n'])
  assert.deepEqual(await see('/home'), [303, '/login?next=/home'])

  assert.equal((await on('/signup', person)).status, 201)
  const token = await mailedToken(async () => {
    const path = /\/dev\/mailbox\/[\w-]+/.exec(String((await see('/dev/mailbox'))[1]))?.[0]
    return path === undefined ? '' : String((await see(path))[1])
  })
  assert.equal((await on('/verify-email', { token, password })).status, 200)

  const tokens = JSON.parse((await on('/signin', person)).text)
  const authorization = `Bearer ${tokens.access_token}`
  assert.deepEqual(await see('/hello', { authorization }), [200, 'Hello ada@example.com\n'])
  assert.deepEqual(await see('/home', { authorization }), [200, 'Welcome home, ada@example.com\n'])
  const signedIn = await on('/signin', { ...person, session: 'cookie' })
  const cookie = signedIn.headers.getSetCookie().map((value) => value.split(';')[0] ?? '')
  const session = cookie.find((value) => value.startsWith('gatelodge=')) ?? ''
  assert.deepEqual(await see('/home', { cookie: `theme=dark; ${session}` }), [200, 'Welcome home, ada@example.com\n'])
  assert.deepEqual(await see('/home', { cookie: `${session}x` }), [303, '/login?next=/home'])
  assert.deepEqual(await see('/hello', { cookie: session }), [200, 'Hello ada@example.com\n'])

  await on('/signout', {}, { cookie: session, origin })
  await on('/signout', { refresh_token: tokens.refresh_token })
  assert.deepEqual(await see('/home', { cookie: session }), [303, '/login?next=/home'])
  assert.deepEqual(await see('/hello', { cookie: session }), [401, 'Sign in first\n'])
  assert.deepEqual(await see('/hello', { authorization }), [401, 'Sign in first\n'])
  assert.equal(statSync(join(cwd, 'data/secret')).mode & 0o777, 0o600)
  assert.equal(await app.end(), 0)
})

/** Starts a packed Gatelodge with its programs, and each example in two variants: verifying with keys, and introspecting every token. */
async function openWorld() {
  const folders = {
    express: closing.use(await copyExample('express')).path,
    fastify: closing.use(await copyExample('fastify')).path,
    hono: closing.use(await copyExample('hono')).path,
    embedded: closing.use(await copyExample('embedded')).path,
  }
  const inbox = closing.adopt(await smtpServer(), ({ close }) => close())
  const program = join(folders.embedded, 'node_modules/.bin/gatelodge') // as npm links it
  const smtp = { GATELODGE_SMTP_URL: `smtp://127.0.0.1:${inbox.smtp.port}` }
  const gatelodge = closing.use(await installGatelodge(program, smtp))
  const server = closing.use(await gatelodge.start())
  await gatelodge.command(['admin', 'create', '--email', 'ada@example.com'], password) // as the READMEs show it

  const [reader, stranger, { client_id, client_secret }] = await Promise.all([
    gatelodge.clientToken('reports', 'notes:read'),
    gatelodge.clientToken('mailer', 'notes:write notes:reader'),
    gatelodge.command(['client', 'create', 'notes']),
  ])
  const asking = { CLIENT_ID: client_id, CLIENT_SECRET: client_secret }
  const open = async (name: Framework) => ({
    keys: await startCopy(folders[name], gatelodge.issuer),
    asking: await startCopy(folders[name], gatelodge.issuer, asking),
  })
  return {
    folders,
    inbox,
    program,
    gatelodge,
    server,
    asking,
    reader,
    stranger,
    apps: { express: await open('express'), fastify: await open('fastify'), hono: await open('hono') },
  }
}

type Env = Readonly<Record<string, string | undefined>>

async function startCopy(cwd: string, issuer: string, env: Env = {}): Promise<RunningProgram> {
  const origin = `http://localhost:${await freePort()}`
  const options = { cwd, env: { ISSUER: issuer, PORT: new URL(origin).port, ...env } }
  return closing.use(await startProgram([join(cwd, 'server.ts')], options, origin))
}

function startApp(name: Framework, env?: Env): Promise<RunningProgram> {
  return startCopy(folders[name], issuer, env)
}

/** Returns a module that sets the clock of a program ahead, in minutes. */
function clockAhead(minutes: number): string {
  const file = join(gatelodge.folder, `ahead-${minutes}.mjs`)
  writeFileSync(file, `const now = Date.now; Date.now = () => now() + ${minutes * 60_000}`)
  return file
}

async function ask(
  { origin }: RunningProgram,
  route: string,
  { token, json, raw }: { token?: string; json?: object; raw?: string | undefined } = {},
) {
  const [method = '', path = ''] = route.split(' ')
  const isPost = method === 'POST'
  const response = await fetch(origin + path, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(isPost && { 'content-type': 'application/json' }),
    },
    ...(isPost && { body: raw ?? JSON.stringify(json ?? {}) }),
  })
  const { status, headers } = response
  const type = headers.get('content-type') ?? ''
  const text = await response.text()
  const body = /\bjson\b/.test(type) ? JSON.parse(text) : text
  const [challenge, retryAfter] = ['www-authenticate', 'retry-after'].map((header) => headers.get(header))
  return { status, type, body, code: body.code, challenge, retryAfter }
}

const ownersIn = (body: { notes: readonly { owner: string }[] }) => body.notes.map(({ owner }) => owner)

async function send(method: string, url: string, body: object | undefined, headers: Readonly<Record<string, string>>) {
  const response = await fetch(url, {
    method,
    headers: { ...(body && { 'content-type': 'application/json' }), ...headers },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

/** Sends a request to Gatelodge that must succeed. */
// biome-ignore lint/suspicious/noExplicitAny: what it answers is what the caller looks at
async function api(method: string, path: string, body?: object, token?: string): Promise<any> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const { status, text } = await send(method, `${issuer}/api/v1/auth${path}`, body, headers)
  assert.ok(status < 300, `${path}: ${text}`)
  return text === '' ? undefined : JSON.parse(text)
}

function post(path: string, body: object, token?: string) {
  return api('POST', path, body, token)
}

/** Creates a user who has signed up, followed the emailed link and signed in. */
async function newPerson(
  email: string,
): Promise<{ access_token: string; refresh_token: string; user: { id: string } }> {
  await post('/signup', { email, password })
  const token = await mailedToken(
    async () => inbox.received.find(({ recipients }) => recipients.includes(email))?.parsed.text ?? '',
  )
  await post('/verify-email', { token, password })
  return post('/signin', { email, password })
}

async function mailedToken(readMail: () => Promise<string>): Promise<string> {
  let token: string | undefined
  await until(async () => {
    token = /verify-email\?token=([\w.-]+)/.exec(await readMail())?.[1]
    return token !== undefined
  })
  return token ?? ''
}

/** Returns a pattern for what a page shows, where `...` stands for anything. */
function patternOf(shown: string): RegExp {
  const literals = shown.split('...').map((part) => part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'))
  return new RegExp(`^${literals.join('[^]*')}$`)
}
