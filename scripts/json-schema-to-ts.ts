import type { JsonSchema } from '../packages/gatelodge/src/http/openapi.ts'

/** Returns the TypeScript type of the JSON that a schema allows. A reference becomes the last part of its name. */
export function toType(schema: JsonSchema): string {
  if (schema.$ref !== undefined) return schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)
  if ('const' in schema) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  if (schema.anyOf) return schema.anyOf.map(toType).join(' | ')
  if (schema.allOf) return schema.allOf.map((part) => `(${toType(part)})`).join(' & ')
  if (schema.type === undefined) return schema.properties ? toObject(schema) : 'unknown'
  return [schema.type]
    .flat()
    .map((type) => toSimpleType(type, schema))
    .join(' | ')
}

/** Returns an exported declaration of a named schema. */
export function toDeclaration(name: string, schema: JsonSchema): string {
  return schema.properties ? `export interface ${name} ${toObject(schema)}` : `export type ${name} = ${toType(schema)}`
}

function toSimpleType(type: string, schema: JsonSchema): string {
  switch (type) {
    case 'array':
      return `(${toType(schema.items ?? {})})[]`
    case 'object':
      return toObject(schema)
    case 'integer':
    case 'number':
      return 'number'
    case 'string':
    case 'boolean':
    case 'null':
      return type
    default:
      throw new Error(`JSON has no type ${type}`)
  }
}

function toObject({ properties = {}, required = [], additionalProperties }: JsonSchema): string {
  const members = Object.entries(properties).map(
    ([name, property]) => `${JSON.stringify(name)}${required.includes(name) ? '' : '?'}: ${toType(property)}`,
  )
  // An index signature also constrains the named members; only `unknown` is compatible with all of them.
  const others =
    typeof additionalProperties === 'object' && members.length === 0 ? toType(additionalProperties) : 'unknown'
  if (additionalProperties !== false) members.push(`[name: string]: ${others}`)
  return `{\n${members.join('\n')}\n}`
}
