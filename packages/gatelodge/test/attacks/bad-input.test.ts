import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { Route } from '../../src/http/route.ts'
import { routes } from '../../src/routes.ts'
import { forEachDatabase, type TestApp, testApp } from '../support/app.ts'
import { stored } from '../support/attack.ts'
import { withinPace } from '../support/pace.ts'

interface Field {
  readonly path: readonly string[]
  readonly types: ReadonlySet<string>
}

const privileged = [
  'is_staff',
  'roles',
  'role',
  'id',
  'user_id',
  'email_verified',
  'password_hash',
  'is_active',
  'tenant',
  'mfa_enabled',
  'constructor',
  'prototype',
  'toString',
]
/** Routes with a body. OAuth routes take another format and have their own tests. */
const withBody = routes.filter(({ body, surface }) => body !== undefined && surface !== 'oauth')

/** Returns the fields of a body, according to the schema that validates it. */
function fieldsOf(schema: z.ZodType): Field[] {
  return walk(z.toJSONSchema(schema, { io: 'input' }), [])
}

function walk(schema: z.core.JSONSchema.JSONSchema, path: readonly string[]): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    if (typeof property === 'boolean') return []
    const variants = [property, ...(property.anyOf ?? [])].filter((variant) => typeof variant === 'object')
    const types = new Set(variants.flatMap(({ type }) => type ?? []))
    const at = [...path, name]
    return [{ path: at, types }, ...variants.flatMap((variant) => walk(variant, at))]
  })
}

/** Returns values that no field of these types accepts. */
function wrongFor({ types }: Field): unknown[] {
  const values: unknown[] = [1, -1.5, { $ne: null }, { length: 1 }]
  if (!types.has('array')) values.push([], ['a'], [['a']])
  if (!types.has('object')) values.push({})
  if (!types.has('boolean')) values.push(true, false)
  if (!types.has('null')) values.push(null)
  if (!types.has('string')) values.push('a', 'true', '1')
  if (types.has('string')) values.push('a\0b', '\ud800', 'a\udc00', 'x'.repeat(10_240))
  return values
}

function nest(path: readonly string[], value: unknown): unknown {
  return path.reduceRight((inner, name) => ({ [name]: inner }), value)
}

async function bearerOf(app: TestApp): Promise<string> {
  const { access } = await app.tokens(await app.user())
  await app.composition.deliverMail()
  return access
}

forEachDatabase('bad input', (engine) => {
  test('every field of every route refuses what it cannot be, by name, fast, without a hash and without a trace', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const bearer = await bearerOf(app)
    await app.deps.hasher.close() // from here on every request for a hash gets 503
    const before = await stored(app)
    const logged = app.logged.length

    let asked = 0
    const ask = async (route: Route, body: unknown, field: string, name: string) => {
      asked += 1
      const told = await withinPace(`${route.path} ${name}`, 50, () =>
        app.ask(route.method, route.path, body, { bearer }),
      )
      assert.equal(told.status, 400, `${route.method} ${route.path} ${name}: ${told.text}`)
      assert.match(told.headers.get('content-type') ?? '', /^application\/problem\+json/)
      const fields = told.json.errors.map((fault: { field: string }) => fault.field)
      assert.ok(fields.includes(field), `${route.path} ${name}: ${fields}`)
    }

    assert.ok(withBody.length >= 14)
    for (const route of withBody) {
      const fields = route.body ? fieldsOf(route.body) : []
      assert.ok(fields.length > 0, route.path)
      for (const field of fields) {
        for (const value of wrongFor(field)) {
          const name = field.path.join('.')
          const isObject =
            field.types.has('object') && typeof value === 'object' && value !== null && !Array.isArray(value)
          const named = isObject ? `${name}.${Object.keys(value)[0]?.replace('$ne', 'body')}` : name
          await ask(route, nest(field.path, value), named, `${name} = ${JSON.stringify(value)?.slice(0, 40)}`)
        }
        const [first = ''] = field.path
        if (field.path.length === 1) await ask(route, `{"${first}":"a","${first}":"a"}`, first, `${first} twice`)
      }
      for (const name of privileged) await ask(route, { [name]: true }, name, name)
      await ask(route, '{"__proto__":{"is_staff":true}}', '__proto__', '__proto__')
      await ask(route, '{"<script>":1}', 'body', 'a name that cannot be repeated')
      for (const broken of [
        '{',
        '{}}',
        "{'a':1}",
        '{"a":}',
        'null',
        '[]',
        '"x"',
        '1',
        'undefined',
        '{"a":1,}',
        '\u00a0{}',
      ]) {
        await ask(route, broken, 'body', broken)
      }
    }
    assert.ok(asked > 500, `${asked}`)
    assert.deepEqual(await stored(app), before)
    assert.equal(app.logged.length, logged)
    assert.equal(Reflect.get({}, 'is_staff'), undefined)
    assert.equal((await app.post('/signin', { email: 'ada@example.com', password: 'quiet harbour 52' })).status, 503)
  })

  test('what only the operation can refuse costs no hash either, and leaves no trace', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const ada = await app.user({ username: 'taken' })
    const { access: bearer } = await app.tokens(ada)
    await app.post('/forgot-password', { email: ada.email })
    const { token } = await app.lastMail(ada.email)
    await app.composition.deliverMail()
    await app.deps.hasher.close()
    const before = await stored(app)

    const good = { email: 'eve@example.com', password: 'quiet harbour 52' }
    const garbage = `${'A'.repeat(22)}.${'B'.repeat(43)}`
    for (const [path, body, named] of [
      ['/signup', { ...good, email: 'no address' }, 'email'],
      ['/signup', { ...good, password: 'short' }, 'password'],
      ['/signup', { ...good, password: 'password123' }, 'password'],
      ['/signup', { ...good, password: 'tab\tin a harbour' }, 'password'],
      ['/signup', { ...good, password: 'x'.repeat(4_000) }, 'password'],
      ['/signup', { ...good, username: 'a' }, 'username'],
      ['/signup', { ...good, username: 'a@b' }, 'username'],
      ['/signup', { ...good, username: 'taken' }, 'username_taken'],
      ['/signup', { ...good, first_name: 'Eve', fullname: 'Eve' }, 'fullname'],
      ['/reset-password', { token: garbage, new_password: 'another harbour 53' }, 'token_invalid'],
      ['/reset-password', { token, new_password: 'short' }, 'new_password'],
      ['/verify-email', { token: garbage, password: 'quiet harbour 52' }, 'token_invalid'],
      ['/change-password', { old_password: ada.password, new_password: 'short' }, 'new_password'],
      ['/change-email', { new_email: 'no address', password: ada.password }, 'new_email'],
      ['/change-email', { new_email: ada.email, password: ada.password }, 'new_email'],
      ['/forgot-password', { email: 'no address' }, 'email'],
      ['/verify-email/resend', { email: 'no address' }, 'email'],
      ['/signin', { password: 'quiet harbour 52' }, 'identifier'],
    ] as const) {
      const told = await app.post(path, body, { bearer })
      assert.deepEqual(
        [told.status, told.json.errors?.[0]?.field ?? told.code],
        [400, named],
        `${path} ${JSON.stringify(body).slice(0, 80)}`,
      )
    }
    assert.deepEqual(await stored(app), before)
  })

  test('every route rejects a body of another type, or of a megabyte, before parsing it', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const bearer = await bearerOf(app)
    await app.deps.hasher.close()
    const before = await stored(app)
    const megabyte = JSON.stringify({ password: 'x'.repeat(2 ** 20) })
    const longPassword = 'x'.repeat(60_000)

    for (const route of withBody) {
      const name = `${route.method} ${route.path}`
      const ask = (what: string, body: string, headers = {}) =>
        withinPace(`${name} ${what}`, 50, () => app.ask(route.method, route.path, body, { bearer, headers }))

      const large = await ask('a megabyte', megabyte)
      assert.deepEqual([large.status, large.code], [413, 'body_too_large'], name)
      const own = fieldsOf(route.body as z.ZodType).flatMap(({ path }) => path.filter((part) => /password/.test(part)))
      for (const field of new Set([...own, 'password'])) {
        const long = await ask(`a long ${field}`, JSON.stringify({ [field]: longPassword }))
        assert.deepEqual([long.status, long.code], [400, 'input_invalid'], name)
        const fields = long.json.errors.map((fault: { field: string }) => fault.field)
        assert.ok(fields.includes(field), `${name} ${field}: ${fields}`)
      }
      for (const type of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x',
        'application/xml',
        'application/json; charset=latin1',
      ]) {
        const told = await ask(type, '{}', { 'content-type': type })
        assert.deepEqual([told.status, told.code], [415, 'media_type_unsupported'], `${name} ${type}`)
      }
    }
    assert.deepEqual(await stored(app), before)
  })
})
