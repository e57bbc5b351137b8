import assert from 'node:assert/strict'
import { after, describe } from 'node:test'
import { sql } from 'kysely'
import { createClient } from '../../src/admin/service-clients/manage-clients.ts'
import { type Composition, compose } from '../../src/compose.ts'
import { readConfig } from '../../src/config.ts'
import type { MailboxEntry } from '../../src/domain/mailbox.ts'
import type { HashParameters } from '../../src/domain/passwords/hasher.ts'
import { buildOpenApi } from '../../src/http/openapi.ts'
import { systemActor } from '../../src/kernel/actor.ts'
import type { EventName } from '../../src/kernel/events.ts'
import type { Log } from '../../src/kernel/log.ts'
import { routes } from '../../src/routes.ts'
import { copiedTables } from '../../src/store/copy.ts'
import type { Schema } from '../../src/store/schema.ts'
import { cheapHasher } from './cheap-hasher.ts'
import { type LogLine, recordingLog, type TestClock, testClock, testSecret } from './deps.ts'
import { createOpenApiCheck } from './openapi-check.ts'
import { directUrlOf, freshPostgresDatabase, openTestPostgres, stopOwnPostgres } from './postgres.ts'

export type Engine = 'sqlite' | 'postgres'

after(stopOwnPostgres)

/** Runs a suite once for each supported database, or on the one that `npm test -- --engine` names. */
export function forEachDatabase(name: string, suite: (engine: Engine) => void): void {
  const only = process.env.TEST_ENGINE
  const engines = (['sqlite', 'postgres'] as const).filter((engine) => only === undefined || engine === only)
  for (const engine of engines) describe(`${name} (${engine})`, () => suite(engine))
}

export interface Ask {
  readonly headers?: Readonly<Record<string, string>>
  readonly bearer?: string
  /** A session cookie. Sent with a same-origin proof unless `crossSite`. */
  readonly cookie?: string
  readonly crossSite?: boolean
  /** The client's address. */
  readonly ip?: string
}

/** A response in the form that tests inspect. */
export interface Told {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests inspect answers of every shape, each already checked against OpenAPI
  readonly json: any
  /** The error code, if the body is a problem. */
  readonly code: string | undefined
  readonly setCookies: readonly string[]
  /** Returns the value of a cookie that was set, by the end of its name. */
  cookie(name: string): string | undefined
}

export interface Person {
  readonly email: string
  readonly password: string
  readonly username: string
  readonly id: string
}

const auth = '/api/v1/auth'
const check = createOpenApiCheck(
  buildOpenApi(routes, { serviceName: 'Gatelodge', publicUrl: 'http://localhost:3000', version: 'test' }),
)
let people = 0

interface TestAppOptions {
  readonly engine: Engine
  readonly env?: Readonly<Record<string, string>>
  readonly clock?: TestClock
  readonly passwordHash?: HashParameters
}

/** Starts the whole program over a fresh database, called through `fetch`. Every response is checked against the OpenAPI document. */
export async function testApp({ engine, clock = testClock(), ...options }: TestAppOptions): Promise<TestApp> {
  const logged: LogLine[] = []
  if (engine === 'sqlite') return new TestApp(await composeTest(options, clock, logged), clock, logged)

  const database = await freshPostgresDatabase()
  const composition = await composeTest({ ...options, database: database.url }, clock, logged)
  return new TestApp(composition, clock, logged, database.release)
}

/** Wires what `testApp` wires, for tests that need a second process on the same database. */
export function composeTest(
  options: {
    readonly env?: Readonly<Record<string, string>>
    readonly database?: string
    readonly isCommand?: boolean
    readonly passwordHash?: HashParameters
    readonly log?: Log
  },
  clock: TestClock,
  logged: LogLine[],
): Promise<Composition> {
  const direct = options.database && directUrlOf(options.database)
  const { config } = readConfig({
    env: {
      GATELODGE_DATABASE: options.database ?? 'sqlite::memory:',
      ...(direct !== undefined && { GATELODGE_DATABASE_DIRECT: direct }),
      ...options.env,
    },
    flags: {},
    readFile() {
      throw new Error('the tests read no setting from a file')
    },
  })
  return compose({
    ...(options.passwordHash
      ? { config: { ...config, passwordHash: options.passwordHash } }
      : { config, hasher: cheapHasher() }),
    ...(options.database?.startsWith('postgres') && {
      store: openTestPostgres(options.database, config.databaseDirect),
    }),
    secret: testSecret,
    log: options.log ?? recordingLog(logged),
    clock,
    ...(options.isCommand && { isCommand: true }),
  })
}

export class TestApp {
  readonly composition: Composition
  readonly clock: TestClock
  readonly logged: readonly LogLine[]
  readonly #release: () => Promise<void>

  constructor(composition: Composition, clock: TestClock, logged: readonly LogLine[], release = async () => {}) {
    this.#release = release
    this.composition = composition
    this.clock = clock
    this.logged = logged
  }

  get deps() {
    return this.composition.deps
  }

  /** Sends a request. Paths that do not start with `/api`, `/.well-known` ... are below `/api/v1/auth`. */
  async ask(method: string, path: string, body?: unknown, ask: Ask = {}): Promise<Told> {
    const raw = typeof body === 'string' || body instanceof Uint8Array
    const full =
      /^\/(?:api|oauth2|forward-auth|\.well-known|healthz|readyz|docs|openapi|dev|assets|avatars|nowhere)/.test(path)
        ? path
        : `${auth}${path}`
    const headers = new Headers({
      'user-agent': 'tests',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(ask.bearer !== undefined && { authorization: `Bearer ${ask.bearer}` }),
      ...(ask.cookie !== undefined && !ask.crossSite && { 'sec-fetch-site': 'same-origin' }),
      ...ask.headers,
    })
    if (ask.cookie !== undefined) headers.append('cookie', `gatelodge=${ask.cookie}`)

    const request = new Request(`http://localhost:3000${full}`, {
      method,
      headers,
      ...(body !== undefined && { body: raw ? (body as string) : JSON.stringify(body) }),
    })
    const response = await this.composition.fetch(request, { peer: ask.ip ?? '192.0.2.1' })
    return told(method, full, response)
  }

  get(path: string, ask?: Ask) {
    return this.ask('GET', path, undefined, ask)
  }

  post(path: string, body: unknown = {}, ask?: Ask) {
    return this.ask('POST', path, body, ask)
  }

  /** Sends form parameters as OAuth requires. */
  form(path: string, fields: Readonly<Record<string, string>> | string, ask: Ask = {}) {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', ...ask.headers }
    return this.ask('POST', path, new URLSearchParams(fields).toString(), { ...ask, headers })
  }

  patch(path: string, body: unknown, ask?: Ask) {
    return this.ask('PATCH', path, body, ask)
  }

  delete(path: string, ask?: Ask, body?: unknown) {
    return this.ask('DELETE', path, body, ask)
  }

  /** Returns the emails received by an address, oldest first. */
  async mails(address: string): Promise<MailboxEntry[]> {
    await this.composition.deliverMail()
    const entries = (this.deps.mailbox?.entries() ?? []).filter(({ to }) => to === address)
    return entries.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  }

  /** Returns the newest email to an address, with the token of its link. */
  async lastMail(address: string): Promise<MailboxEntry & { token: string; link: string }> {
    const mail = (await this.mails(address)).at(-1)
    assert.ok(mail, `a mail for ${address}`)
    const link = /https?:\/\/\S+/.exec(mail.text)?.[0] ?? ''
    return { ...mail, link, token: new URL(link).searchParams.get('token') ?? '' }
  }

  /** Creates a user who has signed up and confirmed the address. */
  async user(wish: Partial<Person> & { firstName?: string } = {}): Promise<Person> {
    people += 1
    const email = wish.email ?? `person${people}@example.com`
    const password = wish.password ?? 'quiet harbour 52'
    const username = wish.username ?? `person${people}`
    const names = wish.firstName === undefined ? {} : { first_name: wish.firstName }
    const signedUp = await this.post(
      '/signup',
      { email, password, username, ...names },
      { ip: `198.51.100.${people % 250}` },
    )
    assert.equal(signedUp.status, 201, signedUp.text)
    const { token } = await this.lastMail(email)
    const confirmed = await this.post('/verify-email', { token, password })
    assert.equal(confirmed.status, 200, confirmed.text)
    return { email, password, username, id: confirmed.json.user.id }
  }

  /** Signs in and returns the pair of tokens. */
  async tokens(person: Person): Promise<{ access: string; refresh: string; session: string }> {
    const { status, json, text } = await this.post('/signin', { email: person.email, password: person.password })
    assert.equal(status, 200, text)
    return { access: json.access_token, refresh: json.refresh_token, session: json.session_id }
  }

  /** Creates a service client and returns its credentials, also as an Authorization header. */
  async client(name = 'service', scopes: readonly string[] = ['read', 'write']) {
    const { client, secret } = await createClient(this.deps, systemActor('command', 'test'), { name, scopes })
    const headers = { authorization: basic(client.id, secret) }
    return { id: client.id, secret, headers }
  }

  /** Introspects a token as a service would. */
  async introspect(token: string, headers: Readonly<Record<string, string>>) {
    const told = await this.form('/oauth2/introspect', { token }, { headers })
    assert.equal(told.status, 200, told.text)
    return told.json
  }

  /** Signs in and returns the session cookie. */
  async cookie(person: Person, ask?: Ask): Promise<string> {
    const told = await this.post('/signin', { email: person.email, password: person.password, session: 'cookie' }, ask)
    assert.equal(told.status, 200, told.text)
    return told.cookie('gatelodge') ?? ''
  }

  /**
   * Returns all rows of a table in the order of its key, which is the same on both databases: oldest first if the key contains the time, otherwise arbitrary.
   */
  async rows<Table extends keyof Schema>(table: Table): Promise<Record<string, unknown>[]> {
    const order = sql.join(copiedTables[table].map((column) => sql.ref(column)))
    const { rows } = await sql<Record<string, unknown>>`select * from ${sql.table(table)} order by ${order}`.execute(
      this.deps.store.migrationDb,
    )
    return rows
  }

  /** Returns the names of the events recorded since the start, oldest first. */
  async events(): Promise<EventName[]> {
    const rows = await this.deps.store.db
      .selectFrom('events')
      .select('name')
      .where('name', '!=', 'key.created')
      .orderBy('id')
      .execute()
    return rows.map(({ name }) => name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.composition.close()
    await this.#release()
  }
}

/** Returns an HTTP Basic header value (RFC 6749, section 2.3.1). */
export function basic(id: string, secret: string): string {
  return `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`
}

async function told(method: string, path: string, response: Response): Promise<Told> {
  const text = await response.text()
  const setCookies = response.headers.getSetCookie()
  check({ method, path }, { status: response.status, headers: response.headers, body: text })
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  const json = isJson && text !== '' ? JSON.parse(text) : undefined
  return {
    status: response.status,
    headers: response.headers,
    text,
    json,
    code: json?.code,
    setCookies,
    cookie: (name) => {
      const pair = setCookies
        .map((cookie) => cookie.split(';', 1)[0] ?? '')
        .find((cookie) => cookie.startsWith(`${name}=`))
      return pair?.slice(name.length + 1)
    },
  }
}
