import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { type CommandFolder, commandFolder } from '../packages/gatelodge/test/support/cli.ts'
import { freshPostgresDatabase, stopOwnPostgres } from '../packages/gatelodge/test/support/postgres.ts'
import { type SmtpTestServer, smtpServer } from '../packages/gatelodge/test/support/smtp.ts'
import { type TcpProxy, tcpProxy } from '../packages/gatelodge/test/support/tcp-proxy.ts'
import { until } from '../packages/gatelodge/test/support/until.ts'

const revocations = process.env.PROOFS === 'quick' ? 50 : 1_000
/** How soon the other server must reject, in ms. */
const soon = 100
const password = 'quiet harbour 52'
const settings = { GATELODGE_SECRET: 'one secret for all servers of this proof', GATELODGE_LOG_LEVEL: 'error' }

let database: { url: string; release(): Promise<void> }
let sql: pg.Client
let inbox: SmtpTestServer
/** The proxy in front of the second server's listener. */
let proxy: TcpProxy
let folders: CommandFolder[]
let one: string
let other: string
let otherProcess: ChildProcess | undefined

before(async () => {
  database = await freshPostgresDatabase()
  sql = new pg.Client({ connectionString: database.url })
  await sql.connect()
  inbox = await smtpServer()
  proxy = await tcpProxy(database.url)
  const env = { ...settings, ...shared(), GATELODGE_RATE_LIMITS: 'off' }
  folders = [commandFolder(env), commandFolder({ ...env, GATELODGE_DATABASE_DIRECT: proxy.via(database.url) })]
  const servers = await Promise.all(folders.map((folder) => folder.serve()))
  ;[one = '', other = ''] = servers.map(({ origin }) => origin)
  otherProcess = servers[1]?.child
})

after(async () => {
  for (const folder of folders) await folder[Symbol.asyncDispose]()
  await proxy.close()
  await inbox.close()
  await sql.end()
  await database.release()
  await stopOwnPostgres()
})

test(`a session revoked on one server is refused by the other within ${soon} ms, ${revocations} times`, async () => {
  const email = await person()
  const keeper = await signIn(one, email)
  const took: number[] = []
  for (let round = 0; round < revocations; round += 1) {
    const { access_token: access, session_id: session } = await signIn(one, email)
    await remembers(other, access)

    const revoked = await ask(one, 'DELETE', `/me/sessions/${session}`, { bearer: keeper.access_token })
    assert.equal(revoked.status, 204)
    took.push(await refused(other, access, soon))
  }
  took.sort((a, b) => a - b)
  const at = (share: number) => took[Math.min(took.length - 1, Math.floor(took.length * share))]?.toFixed(1)
  console.log(
    `# from the answer of one server to the refusal by the other: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`,
  )
})

test('a password reset on one server ends the session and its refresh token on the other', async () => {
  const email = await person()
  const { access_token: access, refresh_token: refresh } = await signIn(other, email)
  await remembers(other, access)
  const token = await resetToken(email)
  const reset = await ask(one, 'POST', '/reset-password', { body: { token, new_password: 'another harbour 53' } })
  assert.equal(reset.status, 200)
  await refused(other, access, soon)
  assert.equal((await ask(other, 'POST', '/refresh', { body: { refresh_token: refresh } })).status, 401)
})

test('commands run next to the servers reach both: a new role is seen, a deactivated account is rejected', async () => {
  const email = await person()
  const { access_token: access } = await signIn(one, email)
  await Promise.all([remembers(one, access), remembers(other, access)])
  await folders[0]?.json(`admin create --email ${email}`)
  for (const server of [one, other]) {
    await until(async () => (await json(await check(server, access))).user.roles.includes('administrator'), soon)
  }

  await folders[0]?.json('admin create --email root@example.com --password-stdin', `${password}\n`)
  await Promise.all([remembers(one, access), remembers(other, access)])
  await folders[0]?.json(`user deactivate ${email}`)
  await Promise.all([refused(one, access, soon), refused(other, access, soon)])
})

test('fifty parallel uses of one link, split over two servers, have one success', async () => {
  const email = await person()
  const token = await resetToken(email)
  const spend = async (_: unknown, index: number) => {
    const body = { token, new_password: `another harbour ${index}` }
    const answer = await ask(index % 2 ? one : other, 'POST', '/reset-password', { body })
    return answer.status === 200 ? 'done' : (await json(answer)).code
  }
  const told = await Promise.all(Array.from({ length: 50 }, spend))
  assert.deepEqual(told.toSorted(), ['done', ...Array.from({ length: 49 }, () => 'token_invalid')])
})

test('a budget that is used up on one server is used up on the other', async () => {
  await using limited = commandFolder({ ...settings, ...shared() })
  const servers = [await limited.serve(), await limited.serve()]
  const guess = (server: (typeof servers)[number] | undefined, index: number) =>
    ask(server?.origin ?? '', 'POST', '/signin', { body: { email: `nobody${index}@example.com`, password: 'wrong' } })
  for (let index = 0; index < 30; index += 1) assert.equal((await guess(servers[0], index)).status, 401)
  assert.equal((await guess(servers[1], 30)).status, 429)
  for (const server of servers) assert.equal(await server.end(), 0, 'a listener does not keep a server from its end')
})

test('a disconnected listener reconnects, and no stale answer is given in the meantime', async () => {
  const email = await person()
  for (let round = 0; round < revocations / 10; round += 1) {
    const { access_token: access } = await signIn(one, email)
    await remembers(other, access)
    await sql.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'gatelodge-listener' and datname = current_database()",
    )
    assert.equal((await ask(one, 'POST', '/signout', { bearer: access })).status, 200)
    await refused(other, access, soon)
  }
})

test('a server that was paused while a session was revoked rejects it with its first answer', async () => {
  const email = await person()
  for (let round = 0; round < 5; round += 1) {
    const { access_token: access } = await signIn(one, email)
    await remembers(other, access)
    const stopped = performance.now()
    otherProcess?.kill('SIGSTOP')
    assert.equal((await ask(one, 'POST', '/signout', { bearer: access })).status, 200)
    const asked = Array.from({ length: 5 }, () => check(other, access))
    await until(() => performance.now() - stopped > 1_000)
    otherProcess?.kill('SIGCONT')
    assert.deepEqual(
      (await Promise.all(asked)).map(({ status }) => status),
      [401, 401, 401, 401, 401],
    )
  }
})

test('a listener that falls silent lets a revoked session live for a second at most; one that never spoke, not at all', async () => {
  const email = await person()
  const { access_token: access } = await signIn(one, email)
  await remembers(other, access)
  proxy.delivers = 'nothing'
  await ask(one, 'POST', '/signout', { bearer: access })
  await refused(other, access, 1_000 + soon)

  proxy.delivers = 'until-listening'
  for (let round = 0; round < 20; round += 1) {
    const { access_token: again } = await signIn(one, email)
    for (let checks = 0; checks < 3; checks += 1) assert.equal((await check(other, again)).status, 200)
    await ask(one, 'POST', '/signout', { bearer: again })
    assert.equal((await check(other, again)).status, 401)
  }
  proxy.delivers = 'all'
})

function shared() {
  return {
    GATELODGE_DATABASE: database.url,
    GATELODGE_PUBLIC_URL: 'http://localhost:3000',
    GATELODGE_SMTP_URL: `smtp://127.0.0.1:${inbox.smtp.port}`,
  }
}

interface Asked {
  readonly body?: unknown
  readonly bearer?: string
  /** In ms. */
  readonly patience?: number
}

function ask(server: string, method: string, path: string, { body, bearer, patience = 30_000 }: Asked = {}) {
  return fetch(`${server}/api/v1/auth${path}`, {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(patience),
  })
}

// biome-ignore lint/suspicious/noExplicitAny: responses of several shapes, whose documents other tests check
async function json(answer: Response): Promise<any> {
  return answer.json()
}

function check(server: string, bearer: string, patience?: number): Promise<Response> {
  return ask(server, 'GET', '/session', { bearer, ...(patience !== undefined && { patience }) })
}

let people = 0

/** Signs up a user on the first server and confirms on the second. */
async function person(): Promise<string> {
  people += 1
  const email = `person${people}@example.com`
  const signUp = await ask(one, 'POST', '/signup', { body: { email, password, username: `person${people}` } })
  assert.equal(signUp.status, 201)
  const token = await mailedToken(email)
  assert.equal((await ask(other, 'POST', '/verify-email', { body: { token, password } })).status, 200)
  return email
}

async function signIn(server: string, email: string) {
  const answer = await ask(server, 'POST', '/signin', { body: { email, password } })
  assert.equal(answer.status, 200)
  return json(answer)
}

async function resetToken(email: string): Promise<string> {
  const mails = inbox.received.length
  await ask(one, 'POST', '/forgot-password', { body: { email } })
  return mailedToken(email, mails)
}

/** Returns the token in the newest email to an address that has one, after the first `skip` emails overall. */
async function mailedToken(email: string, skip = 0): Promise<string> {
  let token: string | undefined
  await until(() => {
    const mail = inbox.received.slice(skip).findLast(({ recipients }) => recipients.includes(email))
    token = /token=([\w.-]+)/.exec(mail?.parsed.text ?? '')?.[1]
    return token !== undefined
  })
  return token ?? ''
}

/** Waits until a server answers while the sessions table is locked, which is only possible from memory. */
async function remembers(server: string, access: string): Promise<void> {
  await until(async () => {
    assert.equal((await check(server, access)).status, 200)
    await sql.query('begin; lock table sessions in access exclusive mode')
    try {
      return (await check(server, access, 250).catch(() => undefined))?.status === 200
    } finally {
      await sql.query('rollback')
    }
  })
}

/** Waits until a server rejects a request, and returns how long that took, in ms. */
async function refused(server: string, access: string, patience: number): Promise<number> {
  const began = performance.now()
  await until(async () => (await check(server, access)).status === 401, patience)
  return performance.now() - began
}
