import type { z } from 'zod'
import { AuthError, type FaultCode, faultCodes, type InputFault, invalidField, invalidInput } from '../kernel/errors.ts'
import { parseJson, safeName } from './json.ts'
import { parametersOf } from './media-type.ts'
import type { FormValues } from './route.ts'

const limit = 64 * 1024
const readAtMost = 2 * 1024 * 1024

/**
 * Reads a JSON body. A body over 64 KiB is read and dropped, up to 2 MiB, so that the client can read the response. With `mayBeEmpty`, no body counts as `{}`.
 * @throws media_type_unsupported, body_too_large, input_invalid
 */
export async function readJson(request: Request, mayBeEmpty: boolean): Promise<unknown> {
  const type = request.headers.get('content-type') ?? ''
  if (mayBeEmpty && type === '' && (await receive(request)).length === 0) return {}
  if (!parametersOf(request, 'application/json')) throw new AuthError('media_type_unsupported')

  return parseJson(decode(await receive(request)))
}

/** Reads the fields of an HTML form. @throws media_type_unsupported, body_too_large, input_invalid */
export async function readForm(request: Request): Promise<FormValues> {
  const values: Record<string, string> = {}
  for (const [name, value] of await readUrlEncoded(request)) {
    if (!/^[a-z][a-z_]{0,40}$/.test(name) || Object.hasOwn(values, name))
      throw invalidField(safeName(name), 'unknown', 'Unknown field')
    values[name] = value
  }
  return values
}

/**
 * Reads the parameters of an OAuth request (RFC 6749, section 3.2): a parameter without a value counts as omitted, a repeated one is rejected, and unknown ones
 * are left for the schema to ignore.
 * @throws media_type_unsupported, body_too_large, input_invalid
 */
export async function readOAuthForm(request: Request): Promise<FormValues> {
  const values = new Map<string, string>()
  for (const [name, value] of await readUrlEncoded(request)) {
    if (values.has(name)) throw invalidField(safeName(name), 'duplicate', 'This field was sent twice')
    if (value !== '') values.set(name, value)
  }
  return Object.fromEntries(values)
}

async function readUrlEncoded(request: Request): Promise<URLSearchParams> {
  if (!parametersOf(request, 'application/x-www-form-urlencoded'))
    throw new AuthError('media_type_unsupported', { detail: 'Send the body as application/x-www-form-urlencoded' })

  return new URLSearchParams(decode(await receive(request)))
}

/** Validates an input and returns what the schema makes of it. @throws input_invalid with one fault per field */
export function parseInput<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input)
  if (result.success) return result.data

  const faults = result.error.issues.flatMap((issue) => toFaults(issue, input))
  throw invalidInput([...firstOfEachField(faults).values()].toReversed())
}

/** Reads the body. A client that disconnects in the middle of it is not an internal error. */
async function receive(request: Request): Promise<Buffer> {
  try {
    return await readBytes(request)
  } catch (error) {
    if (error instanceof AuthError) throw error
    throw invalidField('body', 'incomplete', 'The body is incomplete')
  }
}

/** Keeps the first fault of each field. An array instead of a string is also reported as too short; the first fault says enough. */
function firstOfEachField(faults: readonly InputFault[]): Map<string, InputFault> {
  return new Map(faults.toReversed().map((fault) => [fault.field, fault]))
}

async function readBytes(request: Request): Promise<Buffer> {
  const declared = Number(request.headers.get('content-length') ?? '0')
  // Under a server the body ends where Content-Length says (RFC 9112, section 6.2); reading it in one go avoids a web stream.
  if (declared > 0 && declared <= limit) return withinLimit(Buffer.from(await request.arrayBuffer()))
  if (!request.body) return Buffer.alloc(0)
  if (declared > readAtMost) throw new AuthError('body_too_large')

  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of request.body) {
    size += part.byteLength
    if (size > readAtMost) break
    if (size <= limit) parts.push(part)
  }
  if (size > limit) throw new AuthError('body_too_large')
  return Buffer.concat(parts)
}

/** Rejects a body over the limit: a host that passes its own Request may have declared any length. */
function withinLimit(bytes: Buffer): Buffer {
  if (bytes.length > limit) throw new AuthError('body_too_large')
  return bytes
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw invalidField('body', 'invalid_encoding', 'The body must be UTF-8')
  }
}

function toFaults(issue: z.core.$ZodIssue, input: unknown): InputFault[] {
  const field = issue.path.map((part) => safeName(String(part))).join('.') || 'body'
  if (issue.code === 'unrecognized_keys') {
    const prefix = issue.path.length > 0 ? `${field}.` : ''
    return issue.keys.map((key) => ({ field: prefix + safeName(key), code: 'unknown', message: 'Unknown field' }))
  }
  if (issue.code === 'invalid_type' && isMissing(issue, input)) {
    return [{ field, code: 'required', message: 'This field is required' }]
  }
  return [
    {
      field,
      code: issue.code === 'custom' ? customCode(issue.params) : (codes[issue.code] ?? 'invalid'),
      message: issue.message,
    },
  ]
}

function isMissing(issue: z.core.$ZodIssue, input: unknown): boolean {
  let value = input
  for (const part of issue.path) {
    if (typeof value !== 'object' || value === null) return false
    value = (value as Readonly<Record<PropertyKey, unknown>>)[part]
  }
  return value === undefined
}

function customCode(params: Readonly<Record<string, unknown>> | undefined): FaultCode {
  return faultCodes.find((code) => code === params?.code) ?? 'invalid'
}

const codes: Readonly<Record<string, FaultCode>> = {
  invalid_type: 'invalid_type',
  too_big: 'too_long',
  too_small: 'too_short',
  invalid_format: 'invalid_format',
  invalid_value: 'invalid_value',
}
