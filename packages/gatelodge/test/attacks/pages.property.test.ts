import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import type { Route } from '../../src/http/route.ts'
import { pages } from '../../src/routes.ts'
import { forEachDatabase, testApp } from '../support/app.ts'
import { askPage, concrete } from '../support/attack.ts'
import { type SeenPage, Visitor } from '../support/visitor.ts'

const runs = { forms: { sqlite: 60, postgres: 6 }, addresses: { sqlite: 200, postgres: 20 } }
const garbage = `${'A'.repeat(22)}.${'B'.repeat(43)}`
/** Markup that ends in something that must never appear in a page unescaped. */
const markup = [
  '<xq>',
  '"><xq>',
  "'><xq>",
  '</title><xq>',
  '--><xq>',
  '" xq="',
  "' xq='",
  '<xq',
  '\\<xq>',
  '\u202e<xq>',
]

const text = fc.oneof(
  fc.constantFrom(...markup),
  fc.tuple(fc.string({ maxLength: 20 }), fc.constantFrom(...markup)).map(([before, tag]) => before + tag),
  fc.constantFrom('', ' ', 'on', garbage, 'ada@example.com', '<xq>@example.com', 'quiet harbour 52', '\0', '__proto__'),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constant('x'.repeat(5_000)),
)

function fieldsOf(route: Route): fc.Arbitrary<Record<string, string>> {
  const { properties = {} } = z.toJSONSchema(route.body ?? z.strictObject({}), { io: 'input', unrepresentable: 'any' })
  const names = Object.keys(properties)
  const known = names.length === 0 ? fc.constant({}) : fc.dictionary(fc.constantFrom(...names), text)
  const strange = fc.dictionary(fc.constantFrom('is_staff', 'next', '<xq>', '__proto__', 'a b', 'constructor'), text, {
    maxKeys: 1,
  })
  return fc.tuple(known, strange, fc.integer({ min: 0, max: 3 })).map(([given, more, chance]) => ({
    ...given,
    ...(chance === 0 && more),
  }))
}

function assertSound(page: Pick<SeenPage, 'status' | 'headers' | 'html'>, name: string): void {
  assert.ok(page.status < 500, `${name}: ${page.status}`)
  // Our pages contain no such element, and no such attribute outside a quoted value.
  const tags = page.html.match(/<[a-z!/](?:[^"'>]|"[^"]*"|'[^']*')*>?/gi) ?? []
  for (const tag of tags) assert.doesNotMatch(tag.replace(/"[^"]*"/g, '""'), /xq/i, `${name}: ${tag}`)
  assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'|default-src 'self'/, name)
  assert.equal(page.headers.get('cache-control'), 'no-store', name)
}

forEachDatabase('form pages', (engine) => {
  test('no form, signed in or not, is answered by a 500 or by a page that repeats its markup as markup', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    for (const route of pages.filter(({ method, upload }) => method === 'POST' && !upload)) {
      let person = await app.user()
      let member = new Visitor(app)
      await fc.assert(
        fc.asyncProperty(fieldsOf(route), fc.boolean(), async (fields, isMember) => {
          if (isMember && (await member.get('/login')).at === '/login') {
            person = await app.user() // the last form signed out or deleted the account
            member = new Visitor(app)
            await member.fill('/login', { identifier: person.email, password: person.password })
          }
          const visitor = isMember ? member : new Visitor(app)
          const { form_token = '' } = (await visitor.get('/verify-email/resend')).form('/language')
          const page = await visitor.post(concrete(route), { ...fields, form_token })
          assertSound(page, `POST ${route.path} ${JSON.stringify(fields)}`)
        }),
        { seed: 20_261_121, numRuns: runs.forms[engine], endOnFailure: true },
      )
    }
    assert.deepEqual(
      app.logged.filter(({ level }) => level === 'error'),
      [],
    )
  })

  test('no address of a page is answered by a 500 or by a page that repeats its markup as markup', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const query = fc.record(
      { token: text, next: text, message: text, error: text, '"><xq>': text },
      { requiredKeys: [] },
    )
    const cookie = fc.constantFrom(
      '',
      'gatelodge-flash=<xq>',
      'gatelodge-link=<xq>; gatelodge-form=<xq>',
      `gatelodge=${garbage}; gatelodge-signup=${garbage}; gatelodge-language=<xq>`,
    )
    for (const route of pages.filter(({ method }) => method === 'GET')) {
      await fc.assert(
        fc.asyncProperty(query, cookie, fc.constantFrom('document', 'empty'), async (given, cookies, dest) => {
          const search = new URLSearchParams({ ...given }).toString()
          const headers = { cookie: cookies, 'sec-fetch-dest': dest, 'accept-language': 'fr;q=<xq>' }
          const told = await askPage(app, 'GET', `${concrete(route)}?${search}`, headers)
          const page = { status: told.status, headers: told.headers, html: await told.text() }
          assertSound(page, `GET ${route.path} ${JSON.stringify(given)}`)
        }),
        { seed: 20_261_122, numRuns: runs.addresses[engine], endOnFailure: true },
      )
    }
    assert.deepEqual(
      app.logged.filter(({ level }) => level === 'error'),
      [],
    )
  })
})
