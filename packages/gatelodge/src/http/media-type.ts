import { trimBlanks } from '../kernel/wire-text.ts'

/** A parsed Content-Type; names are in lower case. */
interface MediaType {
  readonly type: string
  readonly parameters: readonly (readonly [name: string, value: string])[]
}

/**
 * Returns the parameters of a body's Content-Type if it has the wanted type, is UTF-8 and is not compressed; otherwise undefined. A charset other than UTF-8
 * counts wherever it appears; other parameters are ignored (RFC 9110, section 8.3).
 */
export function parametersOf({ headers }: Request, wanted: string): ReadonlyMap<string, string> | undefined {
  const given = readMediaType(headers.get('content-type') ?? '')
  const coding = trimBlanks(headers.get('content-encoding') ?? '').toLowerCase()
  if (given?.type !== wanted || (coding !== '' && coding !== 'identity')) return undefined

  const isUtf8 = given.parameters.every(([name, value]) => name !== 'charset' || /^utf-?8$/i.test(value))
  return isUtf8 ? new Map(given.parameters) : undefined
}

/** Parses the value in one pass (RFC 9110, section 8.3.1). Also accepts stray semicolons and spaces around `=`, which some clients send. */
function readMediaType(text: string): MediaType | undefined {
  const type = /^[^ \t;]*/.exec(text)?.[0] ?? ''
  const parameter = /[ \t]*;[ \t]*(?:([\w!#$%&'*+.^`|~-]+)[ \t]*(?:=[ \t]*("(?:[^"\\]|\\.)*"|[^ \t;"]*))?)?/y
  parameter.lastIndex = type.length
  const parameters: (readonly [string, string])[] = []
  let end = type.length
  for (let match = parameter.exec(text); match; match = parameter.exec(text)) {
    end = parameter.lastIndex
    const [, name, value = ''] = match
    if (name !== undefined) parameters.push([name.toLowerCase(), unquoted(value)])
  }
  return trimBlanks(text.slice(end)) === '' ? { type: type.toLowerCase(), parameters } : undefined
}

function unquoted(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value
}
