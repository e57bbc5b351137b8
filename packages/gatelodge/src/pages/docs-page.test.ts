import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainTheme } from '../../test/support/theme.ts'
import { curlExample } from './curl-example.ts'
import { docsPage } from './docs-page.ts'
import { type ApiDocument, fieldRows, sampleValue, typeName } from './openapi-view.ts'

const document: ApiDocument = {
  openapi: '3.1.0',
  info: { title: 'Gatelodge API', version: '0.1.0', description: 'First.\n\nSecond with `code`.' },
  servers: [{ url: 'https://id.example.org/' }],
  tags: [{ name: 'Authentication', description: 'Accounts and sessions.' }, { name: 'Unused' }],
  paths: {
    '/api/v1/auth/signin': {
      post: {
        tags: ['Authentication'],
        summary: 'Sign in',
        description: 'By password.',
        security: [],
        'x-limits': ['5 a minute per account', '30 a minute per address'],
        'x-error-codes': ['invalid_credentials', 'rate_limited'],
        requestBody: {
          required: true,
          content: {
            'application/json': {
              schema: {
                type: 'object',
                required: ['email', 'password'],
                properties: {
                  email: { type: 'string', format: 'email', maxLength: 254 },
                  password: { type: 'string', minLength: 1, description: "The account's password" },
                  session: { enum: ['token', 'cookie'], default: 'token' },
                },
              },
            },
          },
        },
        responses: {
          '200': {
            description: 'Signed in',
            content: {
              'application/json': {
                schema: {
                  anyOf: [
                    { $ref: '#/components/schemas/TokenResponse' },
                    { type: 'object', properties: { status: { const: 'mfa_required' } }, required: ['status'] },
                  ],
                },
              },
            },
          },
          '401': { description: 'Invalid credentials', content: { 'application/problem+json': {} } },
        },
      },
    },
    '/api/v1/auth/me/sessions/{id}': {
      delete: {
        tags: ['Authentication'],
        summary: 'End a session',
        parameters: [
          { name: 'id', in: 'path', required: true, description: 'Of the session', schema: { type: 'string' } },
        ],
        responses: { '204': { description: 'Ended' } },
      },
    },
    '/verify-email': {
      get: {
        security: [{}, { cookie: [] }],
        parameters: [
          { name: 'token', in: 'query', required: true, schema: { type: 'string' } },
          { name: 'next', in: 'query', schema: { type: 'string' } },
        ],
        responses: { '303': {} },
      },
    },
    '/oauth2/introspect': {
      post: {
        tags: ['Tokens'],
        'x-auth': 'any service client',
        security: [{ client: [] }],
        requestBody: {
          content: {
            'application/x-www-form-urlencoded': {
              schema: { type: 'object', required: ['token'], properties: { token: { type: 'string' } } },
            },
          },
        },
        responses: { '200': { content: { 'application/json': { schema: { type: 'object' } } } } },
      },
    },
    '/api/v1/auth/me/avatar': {
      put: {
        tags: ['Authentication'],
        requestBody: {
          content: {
            'multipart/form-data': { schema: { type: 'object', properties: { avatar: { type: 'string' } } } },
          },
        },
        responses: {},
      },
    },
  },
  security: [{ bearer: [] }, { cookie: [] }],
  components: {
    securitySchemes: {
      bearer: { type: 'http', scheme: 'bearer' },
      client: { type: 'http', scheme: 'basic' },
      cookie: { type: 'apiKey', in: 'cookie', name: '__Host-gatelodge' },
    },
    schemas: {
      TokenResponse: {
        type: 'object',
        required: ['access_token', 'user'],
        properties: {
          access_token: { type: 'string' },
          expires_in: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
          user: { $ref: '#/components/schemas/User' },
        },
      },
      User: {
        type: 'object',
        properties: {
          id: { type: 'string', format: 'uuid' },
          profile: {
            anyOf: [{ type: 'object', properties: { website: { type: ['string', 'null'] } } }, { type: 'null' }],
          },
          friends: { type: 'array', items: { $ref: '#/components/schemas/User' } },
          roles: { type: 'array', items: { enum: ['admin', 'editor'] } },
          keys: { type: 'array', items: { type: 'object', properties: { kid: { type: 'string' } } } },
          labels: { type: 'object', additionalProperties: { type: 'string' } },
        },
      },
    },
  },
}

test('the reference holds every operation with its contents entry', () => {
  const text = docsPage(document, plainTheme('Acme'))

  for (const path of ['signin', 'sessions', 'verify-email', 'introspect', 'avatar'])
    assert.match(text, new RegExp(path))
  const targets = [...text.matchAll(/href="#([^"]+)"/g)].map((match) => match[1] ?? '')
  for (const target of targets) assert.equal(text.split(` id="${target}"`).length, 2, target)
  assert.match(text, /<p>Second with <code>code<\/code>\.<\/p>/)
  assert.doesNotMatch(text, /Unused/)
})

test('an operation shows access, limits, fields, answers and error codes', () => {
  const text = docsPage(document, plainTheme('Acme'))

  assert.match(text, /<dd>everyone<\/dd>/)
  assert.match(text, /<dd>bearer or cookie<\/dd>/)
  assert.match(text, /<dd>everyone or cookie<\/dd>/)
  assert.match(text, /<dd>any service client<\/dd>/)
  assert.match(text, /<dd>5 a minute per account, 30 a minute per address<\/dd>/)
  assert.match(
    text,
    /<code>email<\/code><\/th><td><code class="type">string \(email\)<\/code><\/td><td>yes<\/td><td>at most 254 characters<\/td>/,
  )
  assert.match(text, /from 1<\/td>/)
  assert.match(text, /Form 2 of 2/)
  assert.match(text, /<code>invalid_credentials<\/code>/)
  assert.doesNotMatch(text, /9007199254740991/)
})

test('the reference needs no script and loads nothing foreign', () => {
  const text = docsPage(document, plainTheme('Acme'))
  assert.doesNotMatch(text, /<script|<style|\sstyle=|(src|href)="(?!\/|#)/)
})

test('nothing of the document becomes markup', () => {
  const evil = '"><svg onload=alert(1)>'
  const text = docsPage(
    {
      ...document,
      info: { title: evil, version: evil, description: evil },
      tags: [{ name: 'Authentication', description: evil }],
    },
    plainTheme(evil),
  )
  assert.doesNotMatch(text, /<svg/)
})

test('nested fields are named by their path and a schema that holds itself ends', () => {
  const names = fieldRows(document, { $ref: '#/components/schemas/User' }).map((row) => row.name)
  assert.deepEqual(names, ['id', 'profile', 'profile.website', 'friends', 'roles', 'keys', 'keys[].kid', 'labels'])
  assert.deepEqual(fieldRows(document, { $ref: '#/components/schemas/Missing' }), [])
})

test('types read as TypeScript', () => {
  assert.equal(typeName({ type: 'array', items: { enum: ['a', 'b'] } }), '("a" | "b")[]')
  assert.equal(typeName({ type: ['string', 'null'] }), 'string | null')
  assert.equal(typeName({ anyOf: [{ $ref: '#/components/schemas/User' }, { type: 'null' }] }), 'User | null')
  assert.equal(typeName({ type: 'object', additionalProperties: { type: 'number' } }), '{ [name]: number }')
  assert.equal(typeName({}), 'any')
})

test('a sample is the example of a schema, else plausible', () => {
  assert.deepEqual(sampleValue(document, { type: 'string', examples: ['x'] }), 'x')
  assert.deepEqual(sampleValue(document, { type: 'array', items: { type: 'integer', minimum: 3 } }), [3])
  assert.deepEqual(sampleValue(document, { anyOf: [{ type: 'boolean' }, { type: 'null' }] }), true)
  assert.deepEqual(sampleValue(document, { type: 'null', anyOf: [{ type: 'null' }] }), null)
  assert.deepEqual(sampleValue(document, { $ref: '#/components/schemas/User' }), { id: 'ID' })
  const formats = ['uri', 'date', 'date-time'].map((format) => sampleValue(document, { type: 'string', format }))
  assert.deepEqual(formats, ['https://example.org', '1990-12-10', '2026-11-21T10:05:00.000Z'])
  assert.deepEqual(sampleValue(document, {}), 'text')
})

test('a curl example is ready for the shell', () => {
  const example = (path: string, method: 'get' | 'post' | 'put' | 'delete') => {
    const operation = document.paths[path]?.[method]
    assert.ok(operation)
    return curlExample(document, path, method, operation)
  }

  assert.equal(
    example('/api/v1/auth/signin', 'post'),
    `curl -X POST 'https://id.example.org/api/v1/auth/signin' \\
  -H 'Content-Type: application/json' \\
  -d '{"email":"ada@example.org","password":"quiet harbour 52"}'`,
  )
  assert.equal(
    example('/api/v1/auth/me/sessions/{id}', 'delete'),
    `curl -X DELETE 'https://id.example.org/api/v1/auth/me/sessions/ID' \\\n  -H "Authorization: Bearer $ACCESS_TOKEN"`,
  )
  assert.equal(example('/verify-email', 'get'), `curl 'https://id.example.org/verify-email?token=TOKEN'`)
  assert.match(
    example('/oauth2/introspect', 'post'),
    /-u CLIENT_ID:CLIENT_SECRET \\\n {2}--data-urlencode 'token=TOKEN'/,
  )
  assert.match(example('/api/v1/auth/me/avatar', 'put'), /-F 'avatar=@FILE'/)
})

test('a quote in an example cannot leave its argument', () => {
  const body = { 'application/json': { schema: { const: "'; rm -rf ~" } } }
  const text = curlExample({ openapi: '3.1.0', info: { title: '', version: '' }, paths: {} }, '/x', 'post', {
    requestBody: { content: body },
    security: [{ cookie: [] }],
    responses: {},
  })
  assert.equal(
    text,
    `curl -X POST 'http://localhost:3000/x' \\\n  -b cookies.txt \\\n  -H 'Content-Type: application/json' \\\n  -d '"'\\''; rm -rf ~"'`,
  )
})
