import type { OpenApiDocument, OpenApiOperation } from '../packages/gatelodge/src/http/openapi.ts'
import { toDeclaration, toType } from './json-schema-to-ts.ts'

/** Returns the TypeScript types of an API: one declaration for each named schema, and `Routes` with the input and output of every operation. */
export function clientTypes(document: OpenApiDocument): string {
  const schemas = Object.entries(document.components.schemas).map(([name, schema]) => toDeclaration(name, schema))
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => toMember(method, path, operation)),
  )
  const routes = [
    '/** The input and response types of every operation, by method and path. `errors` lists its error codes. */',
    `export interface Routes {\n${operations.join('\n')}\n}`,
  ]
  return [...schemas, routes.join('\n')].join('\n\n')
}

function toMember(method: string, path: string, operation: OpenApiOperation): string {
  const name = JSON.stringify(`${method.toUpperCase()} ${path}`)
  const errors = operation['x-error-codes'].map((code) => JSON.stringify(code)).join(' | ')
  return `/** ${operation.summary} */
${name}: {
  body: ${bodyType(operation)}
  query: ${parameterType(operation, 'query')}
  params: ${parameterType(operation, 'path')}
  answers: ${answersType(operation)}
  errors: ${errors}
}`
}

function bodyType({ requestBody }: OpenApiOperation): string {
  if (!requestBody) return 'undefined'
  if ('multipart/form-data' in requestBody.content) return 'FormData'

  const [content] = Object.values(requestBody.content)
  const type = toType(content?.schema ?? {})
  return requestBody.required ? type : `${type} | undefined`
}

function parameterType({ parameters = [] }: OpenApiOperation, place: 'query' | 'path'): string {
  const members = parameters
    .filter((parameter) => parameter.in === place)
    .map(({ name, required, schema }) => `${JSON.stringify(name)}${required ? '' : '?'}: ${toType(schema)}`)
  return members.length === 0 ? 'undefined' : `{ ${members.join('; ')} }`
}

function answersType(operation: OpenApiOperation): string {
  const answers = Object.entries(operation.responses).flatMap(([status, { content = {} }]) => {
    if ('application/problem+json' in content) return []

    const types = Object.values(content).map(({ schema }) => toType(schema))
    return [`${status}: ${types.join(' | ') || 'undefined'}`]
  })
  return `{ ${answers.join('; ')} }`
}
