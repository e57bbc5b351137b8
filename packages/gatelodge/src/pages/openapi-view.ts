/** The subset of JSON Schema 2020-12 that the reference page reads. */
export interface ApiSchema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly format?: string
  readonly title?: string
  readonly description?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly default?: unknown
  readonly example?: unknown
  readonly examples?: readonly unknown[]
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly properties?: Readonly<Record<string, ApiSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | ApiSchema
  readonly items?: ApiSchema
  readonly anyOf?: readonly ApiSchema[]
  readonly oneOf?: readonly ApiSchema[]
}

export interface ApiContent {
  readonly schema?: ApiSchema
}

export interface ApiParameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly description?: string
  readonly schema?: ApiSchema
}

export interface ApiOperation {
  readonly operationId?: string
  readonly tags?: readonly string[]
  readonly summary?: string
  readonly description?: string
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters?: readonly ApiParameter[]
  readonly requestBody?: { readonly required?: boolean; readonly content: Readonly<Record<string, ApiContent>> }
  readonly responses: Readonly<
    Record<string, { readonly description?: string; readonly content?: Readonly<Record<string, ApiContent>> }>
  >
  /** Who may call, in words. If absent, derived from `security`. */
  readonly 'x-auth'?: string
  /** The rate limits, each in words. */
  readonly 'x-limits'?: readonly string[]
  /** The stable `code`s of the problems that it answers with. */
  readonly 'x-error-codes'?: readonly string[]
}

export const apiMethods = ['get', 'post', 'put', 'patch', 'delete'] as const
export type ApiMethod = (typeof apiMethods)[number]

/** The subset of an OpenAPI 3.1 document that the reference page reads. */
export interface ApiDocument {
  readonly openapi: string
  readonly info: { readonly title: string; readonly version: string; readonly description?: string }
  readonly servers?: readonly { readonly url: string }[]
  readonly tags?: readonly { readonly name: string; readonly description?: string }[]
  readonly paths: Readonly<Record<string, { readonly [method in ApiMethod]?: ApiOperation }>>
  readonly security?: ApiOperation['security']
  readonly components?: {
    readonly schemas?: Readonly<Record<string, ApiSchema>>
    readonly securitySchemes?: Readonly<Record<string, ApiSecurityScheme>>
  }
}

export interface ApiSecurityScheme {
  readonly type: string
  readonly scheme?: string
  readonly in?: string
  readonly name?: string
  readonly description?: string
}

/** One row of a table of fields. The name of a nested field is its path: `profile.website`, `sessions[].id`. */
export interface FieldRow {
  readonly name: string
  readonly schema: ApiSchema
  readonly type: string
  readonly required: boolean
}

/** Returns the fields of an object schema, nested ones after their parent. A recursive schema is shown once. */
export function fieldRows(document: ApiDocument, schema: ApiSchema): readonly FieldRow[] {
  return nestedRows(document, schema, '', [])
}

/** Returns the forms that a value may take: the branches of `anyOf` and `oneOf` without null, otherwise the schema itself. */
export function variants(document: ApiDocument, schema: ApiSchema): readonly ApiSchema[] {
  const resolved = resolve(document, schema)
  const branches = resolved.anyOf ?? resolved.oneOf
  return branches?.filter((branch) => branch.type !== 'null') ?? [resolved]
}

/** Returns the type of a schema in TypeScript notation, with the format if there is one. */
export function typeName(schema: ApiSchema): string {
  if (schema.$ref !== undefined) return schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)
  if ('const' in schema) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')

  const branches = schema.anyOf ?? schema.oneOf
  if (branches) return [...new Set(branches.map(typeName))].join(' | ')
  if (schema.items) return `${grouped(typeName(schema.items))}[]`
  if (typeof schema.additionalProperties === 'object' && !schema.properties) {
    return `{ [name]: ${typeName(schema.additionalProperties)} }`
  }
  const type = schema.type === undefined ? 'any' : [schema.type].flat().join(' | ')
  return schema.format === undefined ? type : `${type} (${schema.format})`
}

/** Returns a plausible value for a schema: its own example or default if it has one; for objects, only the required fields. */
export function sampleValue(document: ApiDocument, schema: ApiSchema, name = ''): unknown {
  const form = variants(document, schema)[0]
  if (form === undefined) return null
  const given = [schema, resolve(document, schema), resolve(document, form)].find(hasSample)
  if (given) return given.example ?? given.examples?.[0] ?? given.default ?? given.enum?.[0] ?? given.const

  const { type, properties, required, items, minimum, format } = resolve(document, form)
  if (properties) {
    const names = required?.length ? required : Object.keys(properties).slice(0, 1)
    return Object.fromEntries(names.map((key) => [key, sampleValue(document, properties[key] ?? {}, key)]))
  }
  if (items) return [sampleValue(document, items)]
  if (type === 'boolean') return true
  if (type === 'integer' || type === 'number') return minimum ?? 1
  return sampleText(name, format)
}

/** Returns the schema that a reference points to. Other schemas are returned unchanged. */
export function resolve(document: ApiDocument, schema: ApiSchema): ApiSchema {
  if (schema.$ref === undefined) return schema
  return document.components?.schemas?.[typeName(schema)] ?? {}
}

function nestedRows(
  document: ApiDocument,
  schema: ApiSchema,
  prefix: string,
  above: readonly ApiSchema[],
): readonly FieldRow[] {
  const object = resolve(document, schema)
  if (above.includes(object)) return []

  return Object.entries(object.properties ?? {}).flatMap(([key, property]) => {
    const name = `${prefix}${key}`
    const forms = variants(document, property)
    const inner = forms.length === 1 && forms[0] ? resolve(document, forms[0]) : {}
    const row = { name, schema: property, type: typeName(property), required: object.required?.includes(key) ?? false }
    const below = inner.items
      ? nestedRows(document, inner.items, `${name}[].`, [...above, object])
      : nestedRows(document, inner, `${name}.`, [...above, object])
    return [row, ...below]
  })
}

function grouped(type: string): string {
  return type.includes(' | ') ? `(${type})` : type
}

function hasSample(schema: ApiSchema): boolean {
  return [schema.example, schema.examples?.[0], schema.default, schema.enum?.[0], schema.const].some(
    (value) => value !== undefined,
  )
}

function sampleText(name: string, format: string | undefined): string {
  if (format === 'email' || /email|identifier/.test(name)) return 'ada@example.org'
  if (format === 'uri') return 'https://example.org'
  if (format === 'date') return '1990-12-10'
  if (format === 'date-time') return '2026-11-21T10:05:00.000Z'
  if (/password/.test(name)) return 'quiet harbour 52'
  return name === '' ? 'text' : name.toUpperCase()
}
