import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toDeclaration, toType } from './json-schema-to-ts.ts'

test('a schema becomes the type of its JSON', () => {
  assert.equal(toType({}), 'unknown')
  assert.equal(toType({ $ref: '#/components/schemas/User' }), 'User')
  assert.equal(toType({ type: 'string', const: 'Bearer' }), '"Bearer"')
  assert.equal(toType({ type: 'string', enum: ['a', 'b'] }), '"a" | "b"')
  assert.equal(toType({ type: ['integer', 'null'] }), 'number | null')
  assert.equal(toType({ anyOf: [{ type: 'boolean' }, { type: 'null' }] }), 'boolean | null')
  assert.equal(toType({ allOf: [{ $ref: '#/x/A' }, { type: 'string' }] }), '(A) & (string)')
  assert.equal(toType({ type: 'array', items: { type: ['string', 'null'] } }), '(string | null)[]')
  assert.equal(toType({ type: 'array' }), '(unknown)[]')
})

test('an object is closed only when its schema says so', () => {
  const properties = { id: { type: 'string' }, size: { type: 'number' } }
  assert.equal(
    toType({ type: 'object', properties, required: ['id'], additionalProperties: false }),
    '{\n"id": string\n"size"?: number\n}',
  )
  assert.equal(
    toType({ properties, additionalProperties: { type: 'string' } }),
    '{\n"id"?: string\n"size"?: number\n[name: string]: unknown\n}',
  )
  assert.equal(toType({ type: 'object', additionalProperties: { type: 'string' } }), '{\n[name: string]: string\n}')
})

test('a named schema is an interface when it is an object, else a type', () => {
  const properties = { id: { type: 'string' } }
  assert.equal(
    toDeclaration('Thing', { type: 'object', properties, additionalProperties: false }),
    'export interface Thing {\n"id"?: string\n}',
  )
  assert.equal(toDeclaration('Size', { type: 'integer' }), 'export type Size = number')
})

test('a type that JSON does not have is rejected', () => {
  assert.throws(() => toType({ type: 'date' }), /no type date/)
})
