import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { type AddressLimit, addressLimits } from '../domain/limits.ts'
import { durationInWords } from '../kernel/duration.ts'
import { type ErrorCode, errorTable } from '../kernel/errors.ts'
import { createCookieJar } from './cookies.ts'
import type { UploadSpec } from './multipart.ts'
import type { OAuthFailure } from './oauth-error.ts'
import { type Problem, statusOf } from './problem.ts'
import { type Access, type Answers, type Method, needsSession, type Route, type Surface, type Tag } from './route.ts'

/** The subset of JSON Schema 2020-12 that zod prints for our schemas. */
export interface JsonSchema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly format?: string
  readonly pattern?: string
  readonly description?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly default?: unknown
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | JsonSchema
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly allOf?: readonly JsonSchema[]
}

/** The body of a request or response by media type. `encoding` gives the types of the parts of a multipart body. */
export type Content = Readonly<
  Record<
    string,
    { readonly schema: JsonSchema; readonly encoding?: Readonly<Record<string, { readonly contentType: string }>> }
  >
>

export interface OpenApiParameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly required: boolean
  readonly schema: JsonSchema
}

export interface OpenApiResponse {
  readonly description: string
  readonly headers?: Readonly<Record<string, { description: string; required: boolean; schema: JsonSchema }>>
  readonly content?: Content
}

export interface OpenApiOperation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description?: string
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters?: readonly OpenApiParameter[]
  readonly requestBody?: { readonly required: boolean; readonly content: Content }
  readonly responses: Readonly<Record<string, OpenApiResponse>>
  readonly 'x-auth': string
  readonly 'x-limits': readonly string[]
  readonly 'x-error-codes': readonly ErrorCode[]
  /** Set if every other method gets the same answer. */
  readonly 'x-every-method'?: true
}

export type OpenApiMethod = Lowercase<Method>
export type OpenApiPathItem = { readonly [method in OpenApiMethod]?: OpenApiOperation }

/** An OpenAPI 3.1 document, limited to the parts we use. */
export interface OpenApiDocument {
  readonly openapi: '3.1.0'
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly servers: readonly { readonly url: string }[]
  readonly tags: readonly { readonly name: Tag; readonly description: string }[]
  readonly paths: Readonly<Record<string, OpenApiPathItem>>
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>
    readonly securitySchemes: Readonly<Record<string, SecurityScheme>>
  }
}

interface SecurityScheme {
  readonly type: string
  readonly description: string
  readonly scheme?: string
  readonly bearerFormat?: string
  readonly in?: string
  readonly name?: string
}

/** Builds the OpenAPI 3.1 document of the route table, printed from the schemas that validate requests. */
export function buildOpenApi(
  routes: readonly Route[],
  info: { readonly serviceName: string; readonly publicUrl: string; readonly version: string },
): OpenApiDocument {
  const components = createComponents()
  const paths: Record<string, OpenApiPathItem> = {}
  for (const route of routes) {
    const path = openApiPath(route)
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: toOperation(route, components) }
  }

  return {
    openapi: '3.1.0',
    info: { title: `${info.serviceName} API`, version: info.version, description: overview },
    servers: [{ url: info.publicUrl }],
    tags: Object.entries(tagDocs).map(([name, description]) => ({ name: name as Tag, description })),
    paths,
    components: { schemas: components.all(), securitySchemes: securitySchemes(info.publicUrl) },
  }
}

/** Returns every code that a route may answer with: its own, then those that follow from its literal. */
export function errorsOf(route: Route): ErrorCode[] {
  const takesInput = route.body || route.upload || route.query || route.params
  // A public route without a limit is answered from memory; one that does query the database lists the code itself.
  const { by, fresh } = route.access
  const asksDatabase = by.some((caller) => caller !== 'anyone') || route.origin !== 'read' || route.limit !== 'none'
  const implied: readonly (ErrorCode | false)[] = [
    takesInput ? 'input_invalid' : false,
    route.body ? 'body_too_large' : false,
    route.body || route.upload ? 'media_type_unsupported' : false,
    route.upload?.tooLarge ?? false,
    route.upload ? 'overloaded' : false,
    needsSession(route) && 'not_authenticated',
    needsSession(route) && 'token_invalid',
    needsSession(route) && !by.includes('api_token') && 'insufficient_scope',
    fresh === true && 'reauthentication_required',
    by.includes('client') && 'invalid_client',
    route.origin !== 'read' && 'cross_site',
    route.limit !== 'none' && 'rate_limited',
    asksDatabase && 'database_busy',
    asksDatabase && 'service_unavailable',
    'internal',
  ]
  return [...new Set([...route.errors, ...implied.filter((code) => code !== false)])]
}

/** Returns the HTTP status of a code on a route. */
export function errorStatus(route: Route, code: ErrorCode): number {
  return route.statuses?.[code] ?? statusOf[code]
}

/** Converts a route's path to OpenAPI syntax: `/users/:id` becomes `/users/{id}`. */
export function openApiPath(route: Pick<Route, 'path'>): string {
  return route.path.replace(/:(\w+)/g, '{$1}')
}

/** Describes who may call a route, and what the caller must have proved. */
export function accessInWords({ by, fresh }: Access): string {
  const isOpen = by.includes('anyone')
  if (by.includes('client')) return isOpen ? 'anyone; a named service client must authenticate' : clientInWords
  if (!by.includes('session')) return 'anyone'

  const callers = by.includes('api_token') ? `${sessionInWords}, or an API token` : sessionInWords
  if (isOpen) return `anyone; a valid credential identifies the user (${callers})`
  return `signed-in users: ${callers}${fresh ? '; the last sign-in or re-authentication must be recent' : ''}`
}

const sessionInWords = 'access token or session cookie'
const clientInWords = 'service clients: HTTP Basic, or client_id and client_secret in the body'

/** Describes what a limit allows; returns nothing for `none`. */
export function limitInWords(name: AddressLimit): string[] {
  const limit = addressLimits[name]
  if (!limit) return []

  const counted = { failures: 'failed requests', refusals: 'failed client authentications', requests: 'requests' }[
    limit.counts
  ]
  return [`${limit.max} ${counted} in ${durationInWords(limit.window)} from one address`]
}

const overview = [
  'JSON is UTF-8 and `snake_case`; times are ISO 8601 in UTC.',
  'Errors are `application/problem+json` (RFC 9457) with a stable `code`; `instance` identifies the log line.',
  'Authenticate with `Authorization: Bearer` and an access token, or with the session cookie. Requests that use the cookie and change something must come from this site or an allowed origin.',
].join('\n\n')

const tagDocs = {
  Authentication: 'Accounts and sessions.',
  Tokens: 'What other services need to verify tokens.',
  Operations: 'Health, documentation and files of the server itself.',
} as const satisfies Record<Tag, string>

function securityOf({ by }: Access): OpenApiOperation['security'] {
  const none = by.length > 1 && by.includes('anyone') ? [{}] : []
  const user = by.includes('session') ? [{ bearer: [] }, { session: [] }] : []
  return [...none, ...user, ...(by.includes('client') ? [{ client: [] }] : [])]
}

function securitySchemes(publicUrl: string): OpenApiDocument['components']['securitySchemes'] {
  const cookie = createCookieJar(publicUrl).session.name
  return {
    bearer: { type: 'http', description: 'An access token (RFC 9068).', scheme: 'bearer', bearerFormat: 'JWT' },
    client: { type: 'http', description: 'The ID and the secret of a service client.', scheme: 'basic' },
    session: { type: 'apiKey', description: 'The session cookie that a sign-in sets.', in: 'cookie', name: cookie },
  }
}

const errorCodes = Object.keys(errorTable) as ErrorCode[]

const problemSchema = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(errorCodes),
    detail: z.string(),
    instance: z.string(),
    errors: z.array(z.strictObject({ field: z.string(), code: z.string(), message: z.string() })).exactOptional(),
  })
  .meta({ id: 'Problem' }) satisfies z.ZodType<Problem>

const oauthFailureSchema = z
  .strictObject({ error: z.string(), error_description: z.string() })
  .meta({ id: 'OAuthError' }) satisfies z.ZodType<OAuthFailure>

interface Components {
  /** Returns the schema as JSON Schema. Named schemas inside it become references. */
  print(schema: z.ZodType, io: 'input' | 'output'): JsonSchema
  /** Returns the named schemas seen so far, by name. */
  all(): Record<string, JsonSchema>
}

function createComponents(): Components {
  const named = new Map<string, JsonSchema>()

  function print(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
    // Inside an object a named schema is printed as a reference; at the root it would not be.
    const printed = z.toJSONSchema(z.strictObject({ root: schema }), {
      io,
      override: ({ jsonSchema }) => tidy(jsonSchema),
    })
    const { properties, $defs = {} } = JSON.parse(JSON.stringify(printed), toComponentReference) as {
      readonly properties: { readonly root: JsonSchema }
      readonly $defs?: Readonly<Record<string, JsonSchema>>
    }
    for (const [name, definition] of Object.entries($defs)) {
      const known = named.get(name)
      if (known && !isDeepStrictEqual(known, definition)) throw new Error(`two schemas are named ${name}`)
      named.set(name, definition)
    }
    return properties.root
  }

  return { print, all: () => Object.fromEntries([...named].sort(([a], [b]) => (a < b ? -1 : 1))) }
}

function tidy(schema: z.core.JSONSchema.BaseSchema): void {
  delete schema.id // a keyword of JSON Schema draft 4, which validators reject
  delete schema.propertyNames // JSON names are always strings
  if (schema.format === 'date-time') delete schema.pattern
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum
}

function toComponentReference(key: string, value: unknown): unknown {
  return key === '$ref' && typeof value === 'string' ? value.replace('#/$defs/', '#/components/schemas/') : value
}

function toOperation(route: Route, components: Components): OpenApiOperation {
  const parameters = [
    ...parametersOf(route.params, 'path', components),
    ...parametersOf(route.query, 'query', components),
  ]
  return {
    operationId: operationId(route),
    tags: route.tag === undefined ? [] : [route.tag],
    summary: route.summary,
    ...(route.description !== undefined && { description: route.description }),
    'x-auth': accessInWords(route.access),
    'x-limits': limitInWords(route.limit),
    'x-error-codes': errorsOf(route),
    ...(route.everyMethod && { 'x-every-method': true as const }),
    security: securityOf(route.access),
    ...(parameters.length > 0 && { parameters }),
    ...(route.body && {
      requestBody: {
        required: route.emptyBody !== true,
        content: {
          [bodyTypes[route.surface]]: {
            schema: components.print(route.body, 'input'),
          },
        },
      },
    }),
    ...(route.upload && { requestBody: { required: true, content: uploadContent(route.upload) } }),
    responses: { ...answersOf(route, components), ...failuresOf(route, components) },
  }
}

const form = 'application/x-www-form-urlencoded'
const bodyTypes = { json: 'application/json', oauth: form, page: form } as const satisfies Record<Surface, string>

function uploadContent({ field, types }: UploadSpec): Content {
  const schema: JsonSchema = {
    type: 'object',
    properties: { [field]: { type: 'string', format: 'binary' } },
    required: [field],
    additionalProperties: false,
  }
  return { 'multipart/form-data': { schema, encoding: { [field]: { contentType: types.join(', ') } } } }
}

/** Returns the operation id: `GET /api/v1/auth/me/sessions/:id` becomes `getAuthMeSessionsById`. */
function operationId({ method, path }: Route): string {
  const words = path
    .replace(/^\/api\/v1\//, '/')
    .replace(/:/g, 'by-')
    .split(/[^A-Za-z0-9]+/)
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}

function parametersOf(
  schema: z.ZodType | undefined,
  place: OpenApiParameter['in'],
  components: Components,
): OpenApiParameter[] {
  if (!schema) return []

  const { properties = {}, required = [] } = components.print(schema, 'input')
  return Object.entries(properties).map(([name, field]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema: field,
  }))
}

function answersOf(route: Route, components: Components): Record<string, OpenApiResponse> {
  const answers = Object.entries(route.answers).map(([status, { description, schema }]): [string, OpenApiResponse] => [
    status,
    {
      description,
      ...(status.startsWith('3') && { headers: headers.location }),
      ...(schema !== null && { content: contentOf(schema, components) }),
    },
  ])
  return Object.fromEntries(answers)
}

const anyText: { schema: JsonSchema } = { schema: { type: 'string' } }

function contentOf(schema: NonNullable<Answers[number]['schema']>, components: Components): Content {
  if (schema === 'html') return { 'text/html': anyText }
  if (schema === 'asset') {
    const types = ['text/css', 'text/javascript', 'image/svg+xml', 'image/png']
    return Object.fromEntries(types.map((type) => [type, anyText]))
  }
  if (schema === 'webp') return { 'image/webp': anyText }
  if (schema === 'text') return { 'text/plain': anyText }
  return { 'application/json': { schema: components.print(schema, 'output') } }
}

function failuresOf(route: Route, components: Components): Record<string, OpenApiResponse> {
  const isOAuth = route.surface === 'oauth'
  const failure = components.print(isOAuth ? oauthFailureSchema : problemSchema, 'output')
  const codesByStatus = Map.groupBy(errorsOf(route), (code) => errorStatus(route, code))
  const failures = [...codesByStatus].map(([status, codes]): [number, OpenApiResponse] => [
    status,
    {
      description: codes.map((code) => `\`${code}\`: ${errorTable[code][1]}`).join('. '),
      ...(status === 429 && { headers: headers.retryAfter }),
      content: isOAuth
        ? { 'application/json': { schema: failure } }
        : {
            'application/problem+json': {
              schema: { allOf: [failure, { properties: { status: { const: status }, code: { enum: codes } } }] },
            },
          },
    },
  ])
  return Object.fromEntries(failures)
}

const headers = {
  location: {
    Location: { description: 'The URL to go to', required: true, schema: { type: 'string', format: 'uri' } },
  },
  retryAfter: {
    'Retry-After': { description: 'Seconds to wait', required: true, schema: { type: 'integer', minimum: 1 } },
  },
} as const
