import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import type { Route } from '../../src/http/route.ts'
import { routes } from '../../src/routes.ts'
import { forEachDatabase, type TestApp, testApp } from '../support/app.ts'

const runs = { sqlite: 120, postgres: 12 }
const nasty = [
  '',
  ' ',
  '%',
  '%00',
  '%ff',
  '..%2f',
  'null',
  '__proto__',
  'constructor',
  '0',
  '-1',
  "' or 1=1 --",
  '\ud800',
  '\u0000',
  '\u202e',
  'Bearer',
  '{}',
  '[]',
  'a@example.com',
]

const form = 'application/x-www-form-urlencoded'

const text = fc.oneof(
  fc.constantFrom(...nasty),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 300 }),
)
/** Text that fetch accepts in a header. */
const headerText = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0xff })
    .filter((code) => code !== 0x7f)
    .map((code) => String.fromCharCode(code)),
  maxLength: 60,
})
const token = fc.constantFrom(`${'A'.repeat(22)}.${'B'.repeat(43)}`, 'eyJhbGciOiJub25lIn0.e30.', '.', 'a.b', 'a.b.c')

const headers = fc.record(
  {
    authorization: fc.oneof(
      headerText,
      token.map((value) => `Bearer ${value}`),
      fc.constant('Bearer %'),
    ),
    cookie: fc.oneof(
      headerText,
      token.map((value) => `gatelodge=${value}; gatelodge-device=${value}; gatelodge-signup=${value}`),
    ),
    origin: fc.oneof(headerText, fc.constantFrom('null', 'http://localhost:3000', 'https://evil.test')),
    'sec-fetch-site': fc.oneof(headerText, fc.constantFrom('same-origin', 'cross-site', 'same-site', 'none')),
    'content-type': fc.oneof(
      headerText,
      fc.constantFrom('application/json', 'application/json; charset=utf-8', 'text/plain', form),
    ),
    'content-length': fc.constantFrom('0', '5', '99999999', '-1', 'x', '1e9'),
    'x-forwarded-for': fc.oneof(headerText, fc.constantFrom('a', '::1', '1.2.3.4, 5.6.7.8')),
    'user-agent': headerText,
    'accept-language': headerText,
    host: headerText,
  },
  { requiredKeys: [] },
)

function bodyFor(route: Route): fc.Arbitrary<string | undefined> {
  if (!route.body) return fc.constant(undefined)
  const { properties = {} } = z.toJSONSchema(route.body, { io: 'input' })
  const value = fc.oneof(
    text,
    fc.jsonValue({ maxDepth: 2 }),
    token,
    fc.constantFrom('quiet harbour 52', 'cookie', 'person1@example.com'),
  )
  const shaped = fc.record(Object.fromEntries(Object.keys(properties).map((name) => [name, value])), {
    requiredKeys: [],
  })
  const printed = route.surface === 'oauth' ? shaped.map(formOf) : shaped.map((body) => JSON.stringify(body))
  return fc.oneof(
    { weight: 4, arbitrary: printed },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: text },
  )
}

function formOf(body: object): string {
  const pairs = Object.entries(body).map(([name, value]) => [name, String(value).toWellFormed()])
  return new URLSearchParams(pairs).toString()
}

function pathFor(route: Route): fc.Arbitrary<string> {
  const query = fc.oneof(
    fc.constant(''),
    fc
      .array(fc.tuple(fc.oneof(text, fc.constantFrom('token', 'username')), text), { maxLength: 3 })
      .map(
        (pairs) => `?${new URLSearchParams(pairs.map(([name, value]) => [name.toWellFormed(), value.toWellFormed()]))}`,
      ),
    headerText.map((raw) => `?${raw.replaceAll('#', '')}`),
  )
  const segment = fc.oneof(
    text.map((raw) => encodeURIComponent(raw.toWellFormed())),
    fc.constantFrom('%', '%ff', '%00', 'a%2fb', ';x', 'x'.repeat(300)),
  )
  return fc
    .tuple(segment, query)
    .map(
      ([part, search]) => route.path.replace(/:\w+/, part === '' || /^(?:\.|%2e)+$/i.test(part) ? 'x' : part) + search,
    )
}

function problemOf({ surface }: Route): RegExp {
  return surface === 'oauth' ? /^application\/(?:problem\+)?json/ : /^application\/problem\+json/
}

/** Returns a live session, and creates a new one if the last request ended it. */
async function session(app: TestApp, held: { cookie: string; bearer: string }): Promise<typeof held> {
  const alive =
    held.cookie !== '' &&
    (await app.get('/session', { cookie: held.cookie })).status === 200 &&
    (await app.get('/session', { bearer: held.bearer })).status === 200
  if (alive) return held
  const person = await app.user()
  return { cookie: await app.cookie(person), bearer: (await app.tokens(person)).access }
}

forEachDatabase('every route', (engine) => {
  test('no request, signed in or not, is answered by a 500, without our headers, or by what the document does not declare', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    let held = { cookie: '', bearer: '' }
    const client = await app.client()
    for (const route of routes) {
      const asked = fc.record({
        path: pathFor(route),
        headers,
        body: bodyFor(route),
        as: fc.constantFrom(
          'anonymous',
          'cookie',
          'bearer',
          ...(route.surface === 'oauth' ? ['client', 'client'] : []),
        ),
      })
      await fc.assert(
        fc.asyncProperty(asked, async ({ path, headers: given, body, as }) => {
          held = as === 'anonymous' ? held : await session(app, held)
          const ask = {
            headers: {
              ...given,
              ...(as === 'bearer' && { authorization: `Bearer ${held.bearer}` }),
              ...(as === 'client' && { ...client.headers, 'content-type': form }),
            },
            ...(as === 'cookie' && { cookie: held.cookie }),
          }
          const url = new URL(path, 'http://localhost:3000')
          const told = await app.ask(route.method, url.pathname + url.search, body?.toWellFormed(), ask)
          const name = `${route.method} ${path}: ${told.status} ${told.text.slice(0, 300)}`
          assert.notEqual(told.status, 500, name)
          assert.ok(told.status < 500 || told.headers.has('retry-after'), name)
          if (told.status >= 400) assert.match(told.headers.get('content-type') ?? '', problemOf(route), name)
          assert.match(told.headers.get('content-security-policy') ?? '', /frame-ancestors/, name)
          assert.equal(told.headers.get('x-content-type-options'), 'nosniff', name)
          assert.equal(told.headers.get('referrer-policy'), 'no-referrer', name)
          if (!path.startsWith('/assets/')) assert.equal(told.headers.get('cache-control'), 'no-store', name)
        }),
        { seed: 20_261_120, numRuns: runs[engine], endOnFailure: true },
      )
    }
    assert.deepEqual(
      app.logged.filter(({ level }) => level === 'error'),
      [],
    )
  })
})
