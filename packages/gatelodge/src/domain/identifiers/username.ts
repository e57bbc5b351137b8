import { invalidField } from '../../kernel/errors.ts'

declare const brand: unique symbol
/** A username in canonical form: NFC, lower case, 3 to 64 code points. */
export type Username = string & { readonly [brand]: 'Username' }

const faults = {
  too_short: 'Use at least 3 characters',
  too_long: 'Use at most 64 characters',
  characters: 'Use letters and digits of one script; . _ - are allowed in between',
} as const

// The scripts in everyday use (UAX 31, table 5), together with the scripts that are mixed in one writing system (UTS 39, section 5.1).
const scripts = [
  ['Latin'],
  ['Cyrillic'],
  ['Greek'],
  ['Arabic'],
  ['Hebrew'],
  ['Armenian'],
  ['Georgian'],
  ['Devanagari'],
  ['Bengali'],
  ['Gurmukhi'],
  ['Gujarati'],
  ['Oriya'],
  ['Tamil'],
  ['Telugu'],
  ['Kannada'],
  ['Malayalam'],
  ['Sinhala'],
  ['Thai'],
  ['Lao'],
  ['Khmer'],
  ['Myanmar'],
  ['Tibetan'],
  ['Ethiopic'],
  ['Thaana'],
  ['Han', 'Hiragana', 'Katakana'],
  ['Han', 'Hangul'],
  ['Han', 'Bopomofo'],
]
let writings: readonly RegExp[] | undefined // created at first use: building them takes 5 ms of the start

/** Returns the canonical form of a required username. @throws input_invalid (too_short, too_long, characters) */
export function parseUsername(field: string, text: string): Username {
  const { username, fault } = inspect(text)
  if (username === undefined) throw invalidField(field, fault, faults[fault])
  return username
}

/** Returns the canonical form of a username for look-ups, or undefined if no account can have it. */
export function normaliseUsername(text: string): Username | undefined {
  return inspect(text).username
}

type Inspected = { username: Username; fault?: never } | { username?: never; fault: keyof typeof faults }

function inspect(text: string): Inspected {
  if (text.length > 512) return { fault: 'too_long' } // NFC takes quadratic time for combining marks

  const composed = text.replace(/^ +| +$/g, '').normalize('NFC')
  const name = composed.toLowerCase().normalize('NFC')
  const length = [...name].length
  if (length < 3) return { fault: 'too_short' }
  if (length > 64) return { fault: 'too_long' }
  // Fullwidth and other compatibility forms would be a second name that looks like the first.
  if (composed.normalize('NFKC') !== composed || name.normalize('NFKC') !== name) return { fault: 'characters' }
  if (/^[._-]|[._-]$/.test(name) || !isOneWriting(name)) return { fault: 'characters' }
  return { username: name as Username }
}

function isOneWriting(name: string): boolean {
  writings ??= scripts.map(writingOf)
  return writings.some((writing) => writing.test(name))
}

// Marks without a script of their own are excluded: stacked on a letter they deface a page, and `i` with U+0307 looks like `i`.
function writingOf(names: readonly string[]): RegExp {
  const letters = names.map((name) => `\\p{scx=${name}}`).join('')
  const letter = `(?!\\p{sc=Zinh}|\\p{Default_Ignorable_Code_Point})(?=[\\p{L}\\p{M}\\p{Nd}])[${letters}]`
  return new RegExp(`^(?:[0-9._-]|${letter})+$`, 'u')
}
