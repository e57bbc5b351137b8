import { domainToASCII, domainToUnicode } from 'node:url'
import { invalidField } from '../../kernel/errors.ts'

declare const brand: unique symbol
/** An e-mail address in canonical form: lower-case ASCII, the domain as A-labels. */
export type Email = string & { readonly [brand]: 'Email' }

const atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
const dotAtom = new RegExp(`^${atom}(?:\\.${atom})*$`)

/** The canonical form of an address, the only one for look-ups and storage, or undefined when it is no address we accept (RFC 5321, dot-atom local part, 254 characters). */
export function normaliseEmail(text: string): Email | undefined {
  if (text.length > 512) return undefined // before anything that is more than linear, such as NFC

  const [local = '', host, ...more] = text.replace(/^ +| +$/g, '').split('@')
  if (host === undefined || more.length > 0) return undefined
  if (local.length > 64 || !dotAtom.test(local)) return undefined

  const domain = canonicalDomain(host)
  if (domain === undefined) return undefined

  const email = `${local.toLowerCase()}@${domain}`
  return email.length <= 254 ? (email as Email) : undefined
}

/** The canonical form of an address that must be one. @throws input_invalid */
export function parseEmail(field: string, text: string): Email {
  const email = normaliseEmail(text)
  if (email === undefined) throw invalidField(field, 'email_invalid', 'Enter a valid email address')
  return email
}

/** The address without a `+tag` in its local part, by which budgets count recipients. For nothing else: to some providers it is another mailbox. */
export function mailboxOf(email: Email): string {
  return email.replace(/(?<=[^+])\+.*(?=@)/, '')
}

/** An address for the log: its first character and its domain. */
export function maskEmail(email: Email): string {
  return `${email.slice(0, 1)}***${email.slice(email.lastIndexOf('@'))}`
}

function canonicalDomain(host: string): string | undefined {
  const folded = host.normalize('NFC').toLowerCase()
  // The URL parser behind domainToASCII also decodes %61 and reads 0x7f.1 as an address: it is only shown letters, digits and hyphens.
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

// The Kelvin sign and its like fold to a letter of ASCII: the address of somebody else, typed with another key.
function hidesAscii(host: string): boolean {
  const foreign = [...host].filter((character) => character > '\x7f')
  return foreign.some((character) => /^[\0-\x7f]+$/.test(character.normalize('NFC').toLowerCase()))
}

function isLabel(label: string, given: string, shown: string): boolean {
  if (label.length === 0 || label.length > 63 || /^-|-$/.test(shown)) return false
  // An A-label that names nothing shows as itself: no registry knows it, and it may show as anything elsewhere.
  if (shown.startsWith('xn--')) return false
  // Fullwidth letters, ligatures and other compatibility forms are mapped away by UTS 46; nobody's address is typed like that by accident.
  if (given !== label && given !== shown) return false

  const scripts = [/\p{Script=Latin}/u, /\p{Script=Cyrillic}/u, /\p{Script=Greek}/u]
  return scripts.filter((script) => script.test(shown)).length <= 1
}
