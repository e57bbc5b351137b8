import assert from 'node:assert/strict'
import { after, mock, test } from 'node:test'
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import type { Composition } from '../packages/gatelodge/src/compose.ts'
import { startServer } from '../packages/gatelodge/src/http/server.ts'
import { cleanUp } from '../packages/gatelodge/src/jobs/clean-up.ts'
import { minute, second } from '../packages/gatelodge/src/kernel/clock.ts'
import { composeTest, TestApp } from '../packages/gatelodge/test/support/app.ts'
import { turn } from '../packages/gatelodge/test/support/attack.ts'
import { commandFolder } from '../packages/gatelodge/test/support/cli.ts'
import { type TestClock, testClock, testSecret } from '../packages/gatelodge/test/support/deps.ts'
import { freshPostgresDatabase, stopOwnPostgres } from '../packages/gatelodge/test/support/postgres.ts'
import { expressResourceServer } from '../packages/gatelodge/test/support/resource-server.ts'

const quick = process.env.PROOFS === 'quick'
const sessions = quick ? 4 : 24
/** The interval between two checks of all tokens, in ms of the test clock. */
const step = quick ? minute : 30 * second
/** How long a session keeps a token before it refreshes, in ms. Older tokens are used until they expire. */
const refreshAfter = 5 * minute
/** The longest time that a verifier caches a key set, in ms: as long as an hour of publication allows. */
const patience = 59 * minute
/** How far the clock of the second server is behind, in ms. */
const lag = 30 * second
const issuer = 'http://localhost:3000'

after(stopOwnPostgres)

const kinds = { EdDSA: joseVerifiers, RS256: expressVerifiers } as const
type Algorithm = keyof typeof kinds

for (const algorithm of ['EdDSA', 'RS256'] as const) {
  test(`${algorithm}: across two rotations under load, no verifier rejects a token`, async () => {
    await using world = await createWorld(algorithm)
    const [first] = await world.keys()
    // The first comes just after every verifier fetched the key set, the second just after the one with the longest cache fetched it again.
    const rotations = new Map([minute, 120 * minute].map((at) => [at, () => world.rotate()]))
    const { checks, kids, failures } = await load(world, 210 * minute, rotations)

    assert.deepEqual(failures.slice(0, 5), [], `${failures.length} false refusals`)
    assert.equal(kids.length, 3)
    assert.equal(kids[0], first?.kid)
    for (const { name } of world.verifiers) {
      const counts = kids.map((kid) => checks.get(`${name} ${kid}`) ?? 0)
      assert.ok(Math.min(...counts) > sessions * 10, `${name}: ${counts.join(', ')}`)
      console.log(`# ${name}: ${counts.join(' + ')} tokens of three keys, none refused`)
    }
    assert.deepEqual(
      (await world.keys()).map(({ state }) => state),
      ['signing'],
    )
  })

  test(`${algorithm}: verifiers that cache key sets reject a key that signs before it is published, and accept a withdrawn key until their cache expires`, async () => {
    await using world = await createWorld(algorithm)
    const refusers = async (token: string) => {
      const told = await Promise.all(
        world.verifiers.map(async (each) => [each.name, await each.verify(token)] as const),
      )
      return told.filter(([, reason]) => reason !== undefined).map(([name]) => name)
    }
    const before = await world.clientToken()
    assert.deepEqual(await refusers(before), [])
    await world.rotate('--compromised')
    const patient = world.verifiers[1]?.name ?? ''
    assert.deepEqual(await refusers(before), ['introspection'])
    const unpublished = await world.clientToken()
    assert.ok((await refusers(unpublished)).includes(patient))
    assert.deepEqual(await refusers(await world.clientToken()), await refusers(unpublished))
    assert.ok(!(await refusers(unpublished)).includes('introspection'))

    world.advance(minute) // longer than jose waits between two fetches of the key set
    assert.deepEqual(await refusers(unpublished), [patient])
    world.advance(patience)
    assert.deepEqual(await refusers(await world.clientToken()), [])
  })
}

interface Verifier {
  readonly name: string
  /** Returns why the token is rejected, if it is. */
  verify(token: string): Promise<string | undefined>
  [Symbol.asyncDispose]?(): Promise<void>
}

type World = Awaited<ReturnType<typeof createWorld>>

/** Starts two servers on one database, the clock of the second slightly behind, and the verifiers of their tokens. All of it runs on one test clock. */
async function createWorld(algorithm: Algorithm) {
  await using made = new AsyncDisposableStack()
  const clock = testClock()
  const time = liveBy(clock)
  made.defer(time.restore)
  const database = await freshPostgresDatabase()
  made.defer(database.release)
  const env = { GATELODGE_TOKEN_ALGORITHM: algorithm, GATELODGE_RATE_LIMITS: 'off' }
  const late = { now: () => clock.now() - lag, advance: clock.advance }
  const compositions: Composition[] = []
  const origins: string[] = []
  for (const each of [clock, late]) {
    const composition = await composeTest({ env, database: database.url }, each, [])
    made.defer(composition.close)
    const server = await startServer(composition.fetch, { host: '127.0.0.1', port: 0 }, { warn() {} })
    made.defer(() => server.stop(0))
    compositions.push(composition)
    origins.push(`http://${server.address.host}:${server.address.port}`)
  }
  const [first] = compositions
  assert.ok(first)
  const app = new TestApp(first, clock, [])
  const person = await app.user()
  const { headers } = await app.client('orders', ['orders:read'])
  for (const composition of compositions) composition.startJobs()
  const folder = made.use(commandFolder({ ...env, GATELODGE_DATABASE: database.url, GATELODGE_SECRET: testSecret }))

  let asked = 0
  /** Sends a request to the servers in turn, like a load balancer. */
  async function post(path: string, body: object, form?: Readonly<Record<string, string>>) {
    asked += 1
    const type = form ? 'application/x-www-form-urlencoded' : 'application/json'
    const answer = await fetch(`${origins[asked % origins.length]}${path}`, {
      method: 'POST',
      headers: { 'content-type': type, ...form },
      body: form ? new URLSearchParams(body as Record<string, string>).toString() : JSON.stringify(body),
    })
    const text = await answer.text()
    assert.equal(answer.status, 200, text)
    return JSON.parse(text)
  }

  const introspection: Verifier = {
    name: 'introspection',
    async verify(token) {
      const { active } = await post('/oauth2/introspect', { token }, headers)
      return active ? undefined : 'inactive'
    },
  }
  const jwks = origins.map((origin) => `${origin}/.well-known/jwks.json`)
  const verifiers = [...(await kinds[algorithm](jwks, clock)), introspection]
  for (const verifier of verifiers) made.defer(async () => verifier[Symbol.asyncDispose]?.())

  const ended = made.move()
  return {
    clock,
    verifiers,
    advance: time.advance,
    keys: async () => (await folder.json<{ keys: { kid: string; state: string }[] }>('keys list')).keys,
    /** Rotates with the command, which is a separate process in production, while both servers run. */
    async rotate(flags = '') {
      const { status, stderr } = await folder.run(`keys rotate ${flags}`.trim())
      assert.equal(status, 0, stderr)
    },
    signIn: () => post('/api/v1/auth/signin', { email: person.email, password: person.password }),
    refresh: (token: string) => post('/api/v1/auth/refresh', { refresh_token: token }),
    async clientToken(): Promise<string> {
      const { access_token } = await post('/oauth2/token', { grant_type: 'client_credentials' }, headers)
      return access_token
    },
    async cleanUp() {
      for (const { deps } of compositions) await cleanUp(deps)
    },
    [Symbol.asyncDispose]: () => ended.disposeAsync(),
  }
}

/**
 * Makes the whole process follow a test clock: `Date`, and the counters that lru-cache and limiter read. So caches age as in production, ten minutes for them
 * are ten minutes for the server, and the libraries need no unusual settings. Timers stay real.
 */
function liveBy(clock: TestClock) {
  const start = clock.now()
  mock.timers.enable({ apis: ['Date'], now: start })
  const base = { milliseconds: performance.now(), seconds: process.hrtime()[0] }
  mock.method(performance, 'now', () => base.milliseconds + clock.now() - start)
  mock.method(process, 'hrtime', () => [base.seconds + Math.floor((clock.now() - start) / second), 0])
  return {
    advance(ms: number) {
      clock.advance(ms)
      mock.timers.setTime(clock.now())
    },
    restore() {
      mock.timers.reset()
      mock.restoreAll()
    },
  }
}

interface Held {
  readonly text: string
  readonly kid: string
  readonly endsAt: number
}

/**
 * Runs sessions that refresh constantly and service clients that request tokens. Each token is shown to every verifier right after it was signed, then
 * repeatedly, and in its last second. The clock advances while requests are under way, and `events` happen among them.
 */
async function load(world: World, length: number, events: ReadonlyMap<number, () => Promise<void>>) {
  const { clock, verifiers } = world
  const checks = new Map<string, number>()
  const failures: string[] = []
  const kids = new Set<string>()
  let held: Held[] = []

  async function show({ text, kid, endsAt }: Held): Promise<void> {
    await Promise.all(
      verifiers.map(async ({ name, verify }) => {
        const reason = await verify(text)
        if (reason !== undefined)
          failures.push(`${name}, ${(endsAt - clock.now()) / second} s before the end: ${reason}`)
        checks.set(`${name} ${kid}`, (checks.get(`${name} ${kid}`) ?? 0) + 1)
      }),
    )
  }
  async function take(text: string): Promise<void> {
    const token = { text, kid: decodeProtectedHeader(text).kid ?? '', endsAt: (decodeJwt(text).exp ?? 0) * second }
    kids.add(token.kid)
    held.push(token)
    await show(token)
  }
  async function advanceTo(moment: number): Promise<void> {
    if (moment > clock.now()) world.advance(moment - clock.now())
  }

  const refreshTokens = await Promise.all(
    Array.from({ length: sessions }, async () => String((await world.signIn()).refresh_token)),
  )
  async function refresh(index: number): Promise<void> {
    const next = await world.refresh(refreshTokens[index] ?? '')
    refreshTokens[index] = next.refresh_token
    await take(next.access_token)
  }

  for (let elapsed = 0; elapsed < length; elapsed += step) {
    const turnOf = (index: number) =>
      (elapsed + Math.floor((index * refreshAfter) / sessions / step) * step) % refreshAfter
    const due = refreshTokens.map((_, index) => index).filter((index) => turnOf(index) === 0)
    const shown = held.filter(
      ({ endsAt }, index) => endsAt > clock.now() + 2 * second && index % 2 === (elapsed / step) % 2,
    )
    const underWay = [
      ...due.map(refresh),
      ...shown.map(show),
      world.clientToken().then(take),
      ...[events.get(elapsed)].map((event) => event?.()),
    ]
    await turn()
    world.advance(second)
    await Promise.all(underWay)

    const end = clock.now() + step - second
    const ending = held.filter(({ endsAt }) => endsAt <= end + 2 * second).sort((a, b) => a.endsAt - b.endsAt)
    for (const token of ending) {
      await advanceTo(Math.min(end, token.endsAt - second))
      await show(token)
    }
    await advanceTo(end)
    held = held.filter((token) => !ending.includes(token))
    if (elapsed % (10 * minute) === 0) await world.cleanUp()
  }
  return { checks, kids: [...kids], failures }
}

async function joseVerifiers([one = '', other = '']: readonly string[]): Promise<Verifier[]> {
  const verifierBy = (name: string, url: string, options = {}): Verifier => {
    const keys = createRemoteJWKSet(new URL(url), options)
    const expected = { issuer, audience: issuer, typ: 'at+jwt', algorithms: ['EdDSA'] }
    return { name, verify: (token) => jwtVerify(token, keys, expected).then(() => undefined, String) }
  }
  return [
    verifierBy('jose', one),
    verifierBy('jose that keeps key sets for 59 minutes', other, { cacheMaxAge: patience, cooldownDuration: patience }),
  ]
}

async function expressVerifiers([one = '', other = '']: readonly string[], clock: TestClock): Promise<Verifier[]> {
  const verifierBy = async (
    name: string,
    jwks: Parameters<typeof expressResourceServer>[0]['jwks'],
  ): Promise<Verifier> => {
    const server = await expressResourceServer({ issuer, audience: issuer, algorithm: 'RS256', jwks })
    return {
      name,
      async verify(token) {
        const { status, reason } = await server.ask(token)
        return status === 200 ? undefined : `${status} ${reason}`
      },
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    }
  }
  return [
    await verifierBy('express-jwt', { jwksUri: one, cache: true, rateLimit: true, jwksRequestsPerMinute: 5 }),
    await verifierBy('express-jwt behind a key set kept for 59 minutes', { fetcher: keeping(other, clock) }),
  ]
}

/** Fetches a key set through a cache, like that of a content delivery network. */
function keeping(url: string, clock: TestClock): () => Promise<{ keys: unknown }> {
  let kept: Promise<{ keys: unknown }> | undefined
  let until = 0
  return () => {
    if (!kept || clock.now() >= until) {
      kept = fetch(url).then(async (answer) => (await answer.json()) as { keys: unknown })
      until = clock.now() + patience
    }
    return kept
  }
}
