import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { createOpenApiCheck } from '../../test/support/openapi-check.ts'
import { routes } from '../routes.ts'
import {
  buildOpenApi,
  errorStatus,
  errorsOf,
  type JsonSchema,
  limitInWords,
  type OpenApiOperation,
  type OpenApiResponse,
  openApiPath,
} from './openapi.ts'
import { type Route, route } from './route.ts'

const info = { serviceName: 'Acme', publicUrl: 'https://id.example.org', version: '1.2.3' }
const thing = z
  .strictObject({
    id: z.string(),
    note: z.string().nullable(),
    at: z.iso.datetime().nullable(),
    size: z.int(),
    rank: z.int().min(1).max(5),
    labels: z.record(z.string(), z.unknown()),
    kind: z.union([z.literal('a'), z.strictObject({ b: z.boolean() })]),
  })
  .meta({ id: 'Thing' })

const samples: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/v1/things/:id',
    surface: 'json',
    tag: 'Operations',
    summary: 'One thing',
    access: { by: ['session'] },
    origin: 'read',
    limit: 'none',
    params: z.strictObject({ id: z.string().max(20) }),
    query: z.strictObject({ depth: z.enum(['1', '2']).optional() }),
    answers: { 200: { description: 'It', schema: z.strictObject({ thing }) } },
    errors: ['not_found'],
    handle: () => ({ status: 200 }),
  }),
  route({
    method: 'POST',
    path: '/api/v1/things',
    surface: 'json',
    tag: 'Operations',
    summary: 'Make a thing',
    access: { by: ['anyone'] },
    origin: 'cookie',
    limit: 'token',
    body: z.strictObject({ name: z.string().min(1), kind: z.enum(['a', 'b']).default('a') }),
    emptyBody: true,
    answers: { 201: { description: 'Made', schema: thing }, 204: { description: 'Nothing to do', schema: null } },
    errors: ['token_invalid', 'username_taken'],
    statuses: { token_invalid: 400 },
    handle: () => ({ status: 201 }),
  }),
  route({
    method: 'GET',
    path: '/page',
    surface: 'json',
    tag: 'Operations',
    summary: 'A page',
    description: 'For people.',
    access: { by: ['anyone', 'session'] },
    origin: 'read',
    limit: 'none',
    answers: {
      200: { description: 'The page', schema: 'html' },
      203: { description: 'Its text', schema: 'text' },
      303: { description: 'Away', schema: null },
    },
    errors: [],
    handle: () => ({ status: 200 }),
  }),
]
const sampleDocument = buildOpenApi(samples, info)
const document = buildOpenApi(routes, info)
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]: [string, OpenApiOperation]) => ({ path, method, operation })),
)

test('the document has what OpenAPI 3.1 requires', () => {
  assert.equal(document.openapi, '3.1.0')
  assert.deepEqual(document.servers, [{ url: info.publicUrl }])
  const tags = document.tags.map(({ name }) => name)
  const ids = operations.map(({ operation }) => operation.operationId)
  assert.equal(new Set(ids).size, ids.length)
  assert.equal(operations.length, routes.length)

  for (const { path, method, operation } of operations) {
    const { operationId, parameters = [], responses, security } = operation
    assert.match(operationId, /^[a-z]+[A-Za-z0-9]*$/)
    assert.ok(operation.tags.every((tag) => tags.some((known) => known === tag)))
    const inPath = parameters.filter((parameter) => parameter.in === 'path')
    const expected = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    assert.deepEqual(
      inPath.map(({ name }) => name),
      expected,
      path,
    )
    assert.ok(inPath.every(({ required }) => required))
    assert.ok(method !== 'get' || !operation.requestBody, path)
    for (const [status, response] of Object.entries(responses)) {
      assert.match(status, /^[2-5]\d\d$/)
      assert.notEqual(response.description, '')
    }
    for (const scheme of security.flatMap((way) => Object.keys(way)))
      assert.ok(document.components.securitySchemes[scheme])
  }
})

test('every named schema is referenced and every reference has its schema', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)]
  const named = new Set(references.map(([, name]) => name ?? ''))
  assert.deepEqual([...named].sort(), Object.keys(document.components.schemas))
  assert.doesNotMatch(JSON.stringify(document), /\$defs|"id":"|\$schema/)
})

test('every code of a route stands at its status, and no answer of the route has that status', () => {
  for (const each of routes) {
    const found = operations.find(
      ({ path, method }) => path === openApiPath(each) && method === each.method.toLowerCase(),
    )
    assert.ok(found)
    assert.deepEqual(found.operation['x-error-codes'], errorsOf(each))
    for (const code of errorsOf(each)) {
      const status = errorStatus(each, code)
      assert.equal(each.answers[status], undefined)
      const response: OpenApiResponse | undefined = found.operation.responses[status]
      if (each.surface === 'oauth') {
        assert.match(String(response?.content?.['application/json']?.schema.$ref), /OAuthError$/)
        continue
      }
      const narrowed: JsonSchema | undefined = response?.content?.['application/problem+json']?.schema.allOf?.[1]
      assert.ok(narrowed?.properties?.code?.enum?.includes(code), `${each.path} ${code}`)
    }
  }
})

test('errors that follow from the route literal are added to its own', () => {
  const [read, write, page] = samples.map(errorsOf)
  assert.deepEqual(read, [
    'not_found',
    'input_invalid',
    'not_authenticated',
    'token_invalid',
    'insufficient_scope',
    'database_busy',
    'service_unavailable',
    'internal',
  ])
  assert.deepEqual(write, [
    'token_invalid',
    'username_taken',
    'input_invalid',
    'body_too_large',
    'media_type_unsupported',
    'cross_site',
    'rate_limited',
    'database_busy',
    'service_unavailable',
    'internal',
  ])
  assert.deepEqual(page, ['database_busy', 'service_unavailable', 'internal'])
})

test('null, unions, integers, times and maps are written as JSON Schema has them', () => {
  const { properties } = sampleDocument.components.schemas.Thing ?? {}
  assert.deepEqual(properties, {
    id: { type: 'string' },
    note: { type: ['string', 'null'] },
    at: { anyOf: [{ type: 'string', format: 'date-time' }, { type: 'null' }] },
    size: { type: 'integer' },
    rank: { type: 'integer', minimum: 1, maximum: 5 },
    labels: { type: 'object', additionalProperties: {} },
    kind: {
      anyOf: [
        { type: 'string', const: 'a' },
        { type: 'object', properties: { b: { type: 'boolean' } }, required: ['b'], additionalProperties: false },
      ],
    },
  })
})

test('an operation holds its parameters, body, access and limits', () => {
  const one = sampleDocument.paths['/api/v1/things/{id}']?.get
  assert.equal(one?.operationId, 'getThingsById')
  assert.deepEqual(one.parameters, [
    { name: 'id', in: 'path', required: true, schema: { type: 'string', maxLength: 20 } },
    { name: 'depth', in: 'query', required: false, schema: { type: 'string', enum: ['1', '2'] } },
  ])
  assert.deepEqual(one.security, [{ bearer: [] }, { session: [] }])

  const make = sampleDocument.paths['/api/v1/things']?.post
  assert.equal(make?.requestBody?.required, false)
  // Fields with a default are optional.
  assert.deepEqual(make.requestBody.content['application/json']?.schema.required, ['name'])
  assert.deepEqual(make['x-limits'], ['60 failed requests in 1 minute from one address'])
  assert.deepEqual(limitInWords('none'), [])
  assert.deepEqual(make.security, [])
  assert.equal(make.responses['204']?.content, undefined)
  assert.deepEqual(Object.keys(make.responses['429']?.headers ?? {}), ['Retry-After'])

  const page = sampleDocument.paths['/page']?.get
  assert.deepEqual(Object.keys(page?.responses['200']?.content ?? {}), ['text/html'])
  assert.deepEqual(Object.keys(page?.responses['203']?.content ?? {}), ['text/plain'])
  assert.deepEqual(Object.keys(page?.responses['303']?.headers ?? {}), ['Location'])
  assert.equal(sampleDocument.components.securitySchemes.session?.name, '__Host-gatelodge')
})

test('two different schemas with the same name are rejected', () => {
  const [first] = samples
  assert.ok(first)
  const other = z.strictObject({ id: z.int() }).meta({ id: 'Thing' })
  const second: Route = { ...first, path: '/other', answers: { 200: { description: 'It', schema: other } } }
  assert.throws(() => buildOpenApi([first, second], info), /two schemas are named Thing/)
})

const check = createOpenApiCheck(sampleDocument)
const json = new Headers({ 'content-type': 'application/json; charset=utf-8' })
const problem = new Headers({ 'content-type': 'application/problem+json' })
const problemBody = (code: string, status: number) =>
  JSON.stringify({ type: 'urn:x', title: 'X', status, code, detail: 'x', instance: 'urn:uuid:x' })
const goodThing = { id: 'x', note: null, at: null, size: 1, rank: 1, labels: { x: [1] }, kind: { b: true } }

test('the response check accepts what is declared', () => {
  const get = { method: 'GET', path: '/api/v1/things/7?depth=1' }
  check(get, { status: 200, headers: json, body: JSON.stringify({ thing: goodThing }) })
  check({ ...get, method: 'HEAD' }, { status: 200, headers: json, body: '' })
  check(get, { status: 404, headers: problem, body: problemBody('not_found', 404) })
  check(get, { status: 401, headers: problem, body: problemBody('token_invalid', 401) })
  check({ method: 'POST', path: '/api/v1/things' }, { status: 204, headers: new Headers(), body: '' })
  check({ method: 'GET', path: '/nowhere' }, { status: 404, headers: problem, body: problemBody('not_found', 404) })
  check(
    { method: 'PUT', path: '/page' },
    { status: 405, headers: problem, body: problemBody('method_not_allowed', 405) },
  )
  check({ method: 'OPTIONS', path: '/page' }, { status: 204, headers: new Headers(), body: '' })
})

test('the response check rejects anything not declared', () => {
  const get = { method: 'GET', path: '/api/v1/things/7' }
  const body = JSON.stringify({ thing: goodThing })
  const refused = (
    request: { method: string; path: string },
    response: { status: number; headers: Headers; body: string },
  ) => assert.throws(() => check(request, response), assert.AssertionError)

  refused(get, { status: 202, headers: json, body })
  refused(get, { status: 200, headers: new Headers({ 'content-type': 'text/plain' }), body })
  refused(get, { status: 200, headers: new Headers(), body })
  refused(get, { status: 200, headers: json, body: JSON.stringify({ thing: { ...goodThing, secret: 'x' } }) })
  refused(get, { status: 200, headers: json, body: JSON.stringify({ thing: { ...goodThing, size: 1.5 } }) })
  refused(get, { status: 200, headers: json, body: JSON.stringify({ thing: { ...goodThing, at: 'today' } }) })
  refused(get, { status: 404, headers: problem, body: problemBody('user_not_found', 404) })
  refused(get, { status: 404, headers: problem, body: problemBody('not_found', 400) })
  refused({ method: 'POST', path: '/api/v1/things' }, { status: 204, headers: new Headers(), body: 'x' })
  refused(
    { method: 'POST', path: '/api/v1/things' },
    { status: 429, headers: problem, body: problemBody('rate_limited', 429) },
  )
  refused({ method: 'GET', path: '/nowhere' }, { status: 200, headers: json, body: '{}' })
  refused({ method: 'GET', path: '/nowhere' }, { status: 404, headers: problem, body: '{}' })
  refused({ method: 'PUT', path: '/page' }, { status: 404, headers: problem, body: problemBody('not_found', 404) })
})
