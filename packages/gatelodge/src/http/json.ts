import { invalidField } from '../kernel/errors.ts'

/** Parses JSON and rejects objects that repeat a member name, since parsers disagree on which one counts. @throws input_invalid */
export function parseJson(text: string): unknown {
  const value = parse(text)
  assertUniqueNames(text)
  return value
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw invalidField('body', 'invalid_json', 'The body must be valid JSON')
  }
}

/** Walks over JSON that is known to be valid and rejects repeated names. */
function assertUniqueNames(text: string): void {
  const objects: (Set<string> | null)[] = []
  const tokens = /"(?:[^"\\]|\\.)*"|[{}[\]]/g
  for (let match = tokens.exec(text); match; match = tokens.exec(text)) {
    const token = match[0]
    if (token === '{') objects.push(new Set())
    else if (token === '[') objects.push(null)
    else if (token === '}' || token === ']') objects.pop()
    else if (isName(text, tokens.lastIndex)) addName(objects.at(-1), JSON.parse(token) as string)
  }
}

function isName(text: string, end: number): boolean {
  let index = end
  while (text[index] === ' ' || text[index] === '\t' || text[index] === '\n' || text[index] === '\r') index += 1
  return text[index] === ':'
}

function addName(names: Set<string> | null | undefined, name: string): void {
  if (names?.has(name)) throw invalidField(safeName(name), 'duplicate', 'This field was sent twice')
  if (name === '__proto__') throw invalidField(name, 'unknown', 'Unknown field')
  names?.add(name)
}

/** Returns a field name in a form that is safe to repeat in a response. */
export function safeName(name: string): string {
  return /^[\w.-]{1,64}$/.test(name) ? name : 'body'
}
