import { second } from '../kernel/clock.ts'
import { AuthError, type ErrorCode, invalidField } from '../kernel/errors.ts'
import { safeName } from './json.ts'
import { parametersOf } from './media-type.ts'
import type { FormValues } from './route.ts'

/** Describes the file that a route accepts as multipart/form-data. */
export interface UploadSpec {
  /** The name of the file's field. */
  readonly field: string
  readonly maxBytes: number
  /** The error code for a file that is too large. */
  readonly tooLarge: ErrorCode
  /** The accepted media types, for the documents only; the operation judges the content. */
  readonly types: readonly string[]
  /** How long the body may take to arrive, in ms. */
  readonly patience: number
}

export interface Upload {
  readonly file: Uint8Array<ArrayBuffer>
  readonly fields: FormValues
}

/** The time an upload may take, in ms. Shorter than the server's own limit for a request, which just closes the connection. */
export const uploadPatience = 25 * second

/** Room for boundaries, part headers and text fields, in bytes. */
const slack = 16 * 1024
/** How many bytes are read and dropped so that the client can read the response. A photo straight from a camera fits. */
const readAtMost = 16 * 1024 * 1024
const maxHeaderBytes = 1024

/**
 * Reads the file of a multipart/form-data body (RFC 7578) and the text fields sent with it, in bounded memory and time. `Request.formData()` has no limit,
 * accepts any number of parts, and rejects boundaries that the standard allows.
 * @throws media_type_unsupported, input_invalid, and the code for a file that is too large
 */
export async function readUpload(
  request: Request,
  spec: UploadSpec,
  textFields: readonly string[] = [],
): Promise<Upload> {
  const boundary = parametersOf(request, 'multipart/form-data')?.get('boundary')
  if (boundary === undefined || !/^[\w'()+,./:=?-]{1,70}$/.test(boundary))
    throw new AuthError('media_type_unsupported', { detail: 'Send the body as multipart/form-data' })

  const body = await receive(request, spec)
  return toUpload(readParts(body, boundary, 1 + textFields.length), spec, textFields)
}

interface Part {
  readonly name: string
  readonly content: Uint8Array<ArrayBuffer>
}

async function receive(request: Request, spec: UploadSpec): Promise<Buffer<ArrayBuffer>> {
  const { maxBytes, patience } = spec
  const declared = Number(request.headers.get('content-length') ?? '0')
  if (declared > readAtMost) throw new AuthError(spec.tooLarge)
  if (!request.body) return Buffer.alloc(0)

  // Not cancelled on failure: cancelling would close the connection before the response.
  const reader = request.body.getReader()
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(invalidField('body', 'too_slow', 'The body took too long')), patience)
  const parts: Uint8Array[] = []
  let size = 0
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), late.promise])
      if (done) break
      size += value.byteLength
      if (size > readAtMost) break
      if (size > maxBytes + slack) parts.length = 0
      else parts.push(value)
    }
  } catch (error) {
    if (error instanceof AuthError) throw error
    throw invalidField('body', 'incomplete', 'The body is incomplete') // a client that disconnects is not a failure of this server
  } finally {
    clearTimeout(timer)
  }
  if (size > maxBytes + slack) throw new AuthError(spec.tooLarge)
  return Buffer.concat(parts)
}

/**
 * Splits the body into parts (RFC 2046, section 5.1.1). Does not support what no current client sends: text around the parts, and whitespace after a boundary.
 */
function readParts(body: Buffer<ArrayBuffer>, boundary: string, most: number): Part[] {
  const delimiter = Buffer.from(`\r\n--${boundary}`)
  const first = delimiter.subarray(2)
  if (!body.subarray(0, first.length).equals(first)) throw broken()

  const parts: Part[] = []
  let at = first.length
  while (textAt(body, at, 2) !== '--') {
    const headerEnd = body.subarray(at, at + maxHeaderBytes).indexOf('\r\n\r\n')
    const start = at + headerEnd + 4
    const end = body.indexOf(delimiter, start)
    if (textAt(body, at, 2) !== '\r\n' || headerEnd < 0 || end < 0) throw broken()
    if (parts.length === most)
      throw invalidField('body', 'too_many', 'The body has more parts than there are known fields')

    parts.push({ name: nameOf(textAt(body, at, headerEnd)), content: new Uint8Array(body.subarray(start, end)) })
    at = end + delimiter.length
  }
  return parts
}

function textAt(body: Buffer, at: number, length: number): string {
  return body.toString('latin1', at, at + length)
}

/** Returns the field that a part belongs to. The part's file name and type are ignored, because the sender chooses them. */
function nameOf(headers: string): string {
  const [disposition = '', another] = headers.split('\r\n').filter((line) => /^content-disposition:/i.test(line))
  const match = /^content-disposition:[ \t]*form-data;[ \t]*name="([^"\\]{1,64})"(?:;|$)/i.exec(disposition)
  if (!match?.[1] || another !== undefined) throw broken()
  return match[1]
}

function toUpload(
  parts: readonly Part[],
  { field, maxBytes, tooLarge }: UploadSpec,
  textFields: readonly string[],
): Upload {
  const values = new Map<string, Part>()
  for (const part of parts) {
    const isKnown = part.name === field || textFields.includes(part.name)
    if (!isKnown) throw invalidField(safeName(part.name), 'unknown', 'Unknown field')
    if (values.has(part.name)) throw invalidField(part.name, 'duplicate', 'This field was sent twice')
    values.set(part.name, part)
  }
  const file = values.get(field)?.content
  if (!file?.length) throw invalidField(field, 'required', 'This field is required') // browsers send an empty file when none was chosen
  if (file.length > maxBytes) throw new AuthError(tooLarge)

  values.delete(field)
  return { file, fields: Object.fromEntries([...values].map(([name, { content }]) => [name, textOf(content)])) }
}

function textOf(content: Uint8Array): string {
  return new TextDecoder().decode(content)
}

function broken(): AuthError {
  return invalidField('body', 'malformed', 'The body is not valid multipart/form-data')
}
