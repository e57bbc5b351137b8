import { domainToASCII, domainToUnicode } from 'node:url'
import { invalidField } from '../../kernel/errors.ts'

declare const brand: unique symbol
/** An email address in canonical form: lower-case ASCII, the domain as A-labels. */
export type Email = string & { readonly [brand]: 'Email' }

const atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
const dotAtom = new RegExp(`^${atom}(?:\\.${atom})*$`)

/**
 * Returns the canonical form of an address, the only form used for look-ups and storage, or undefined if it is not an acceptable address (RFC 5321, dot-atom
 * local part, 254 characters).
 */
export function normaliseEmail(text: string): Email | undefined {
  if (text.length > 512) return undefined // before anything slower than linear, such as NFC

  const [local = '', host, ...more] = text.replace(/^ +| +$/g, '').split('@')
  if (host === undefined || more.length > 0) return undefined
  if (local.length > 64 || !dotAtom.test(local)) return undefined

  const domain = canonicalDomain(host)
  if (domain === undefined) return undefined

  const email = `${local.toLowerCase()}@${domain}`
  return email.length <= 254 ? (email as Email) : undefined
}

/** Returns the canonical form of a required address. @throws input_invalid */
export function parseEmail(field: string, text: string): Email {
  const email = normaliseEmail(text)
  if (email === undefined) throw invalidField(field, 'email_invalid', 'Enter a valid email address')
  return email
}

/** Returns the address without a `+tag` in its local part. Budgets count recipients by it. Not for anything else: at some providers it is another mailbox. */
export function mailboxOf(email: Email): string {
  return email.replace(/(?<=[^+])\+.*(?=@)/, '')
}

/** Masks an address for the log: its first character and its domain remain. */
export function maskEmail(email: Email): string {
  return `${email.slice(0, 1)}***${email.slice(email.lastIndexOf('@'))}`
}

function canonicalDomain(host: string): string | undefined {
  const folded = host.normalize('NFC').toLowerCase()
  // The URL parser behind domainToASCII also decodes %61 and reads 0x7f.1 as an address, so it is given only letters, digits and hyphens.
  if (!/^[\p{L}\p{M}\p{N}.-]+$/u.test(folded) || hidesAscii(host)) return undefined

  const ascii = domainToASCII(folded)
  const unicode = domainToUnicode(ascii)
  const labels = ascii.split('.')
  const given = folded.split('.')
  const shown = unicode.split('.')
  if (labels.length < 2 && ascii !== 'localhost') return undefined
  if (/^\d+$/.test(labels.at(-1) ?? '')) return undefined
  return labels.every((label, at) => isLabel(label, given[at] ?? '', shown[at] ?? '')) ? ascii : undefined
}

// The Kelvin sign and similar characters fold to an ASCII letter and would yield another user's address.
function hidesAscii(host: string): boolean {
  const foreign = [...host].filter((character) => character > '\x7f')
  return foreign.some((character) => /^[\0-\x7f]+$/.test(character.normalize('NFC').toLowerCase()))
}

function isLabel(label: string, given: string, shown: string): boolean {
  if (label.length === 0 || label.length > 63 || /^-|-$/.test(shown)) return false
  // An A-label that cannot be decoded stays as it is: no registry accepts it, and elsewhere it may display as anything.
  if (shown.startsWith('xn--')) return false
  // UTS 46 maps fullwidth letters, ligatures and other compatibility forms to plain ones; no one types an address like that by accident.
  if (given !== label && given !== shown) return false

  const scripts = [/\p{Script=Latin}/u, /\p{Script=Cyrillic}/u, /\p{Script=Greek}/u]
  return scripts.filter((script) => script.test(shown)).length <= 1
}
