import assert from 'node:assert/strict'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import type {
  Content,
  JsonSchema,
  OpenApiDocument,
  OpenApiMethod,
  OpenApiOperation,
  OpenApiResponse,
} from '../../src/http/openapi.ts'

export interface CheckedRequest {
  readonly method: string
  /** With or without a query. */
  readonly path: string
}

export interface CheckedResponse {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

/**
 * Creates a check that a response is declared in the document.
 * @throws AssertionError for an undeclared status, another content type or JSON that does not match
 */
export function createOpenApiCheck(
  document: OpenApiDocument,
): (request: CheckedRequest, response: CheckedResponse) => void {
  const validatorOf = createValidators(document)
  const findOperation = createFinder(document)
  const problem: JsonSchema = { $ref: '#/components/schemas/Problem' }
  const anyProblem: OpenApiResponse = { description: '', content: { 'application/problem+json': { schema: problem } } }
  const preflight: OpenApiResponse = { description: '' }

  return (request, response) => {
    const name = `${request.method} ${request.path} ${response.status}`
    const { isKnownPath, operation } = findOperation(request)
    const isPreflight = !operation && isKnownPath && request.method === 'OPTIONS'
    if (!operation)
      assert.equal(response.status, isPreflight ? 204 : isKnownPath ? 405 : 404, `${name}: no such operation`)

    const declared = operation ? operation.responses[response.status] : isPreflight ? preflight : anyProblem
    assert.ok(
      declared,
      `${name}: the status is not declared, only ${Object.keys(operation?.responses ?? {}).join(', ')}`,
    )
    for (const header of Object.keys(declared.headers ?? {})) {
      assert.ok(response.headers.has(header), `${name}: the header ${header} is missing`)
    }
    if (request.method !== 'HEAD') assertContent(name, declared.content, response)
  }

  function assertContent(name: string, content: Content | undefined, response: CheckedResponse): void {
    const type = response.headers.get('content-type')?.split(';', 1)[0]
    if (!content) assert.equal(response.body, '', `${name}: a body where none is declared`)
    if (!content) return

    const schema = type === undefined ? undefined : content[type]?.schema
    assert.ok(schema, `${name}: content type ${type} is not declared, only ${Object.keys(content).join(', ')}`)
    const validate = validatorOf(schema)
    const isValid = validate(type?.endsWith('json') ? JSON.parse(response.body) : response.body)
    assert.ok(isValid, `${name}: ${JSON.stringify(validate.errors)} in ${response.body.slice(0, 2000)}`)
  }
}

/** Compiles each schema once, with the document's components available to its references. */
function createValidators({ components }: OpenApiDocument): (schema: JsonSchema) => ValidateFunction {
  // Types are checked even if they are declared on the other side of an `allOf`.
  const ajv = new Ajv2020({ strictTypes: false, allowUnionTypes: true, keywords: ['components'] })
  formats.default(ajv)
  const compiled = new WeakMap<JsonSchema, ValidateFunction>()

  return (schema) => {
    const known = compiled.get(schema)
    if (known) return known

    const made = ajv.compile({ ...schema, components: { schemas: components.schemas } })
    compiled.set(schema, made)
    return made
  }
}

function createFinder({ paths }: OpenApiDocument) {
  const items = Object.entries(paths)
    .map(([path, item]) => ({ pattern: toPattern(path), isTemplate: path.includes('{'), item }))
    .sort((a, b) => Number(a.isTemplate) - Number(b.isTemplate))

  return ({ method, path }: CheckedRequest): { isKnownPath: boolean; operation: OpenApiOperation | undefined } => {
    const [bare = ''] = path.split('?', 1)
    const found = items.find(({ pattern }) => pattern.test(bare))
    const key = (method === 'HEAD' ? 'get' : method.toLowerCase()) as OpenApiMethod
    const forAll = found?.item.get?.['x-every-method'] ? found.item.get : undefined
    return { isKnownPath: found !== undefined, operation: found?.item[key] ?? forAll }
  }
}

function toPattern(path: string): RegExp {
  const parts = path.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^$()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('[^/]+')}$`)
}
