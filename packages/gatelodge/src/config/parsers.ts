import { isIP, isIPv4, isIPv6 } from 'node:net'
import { parseDuration } from '../kernel/duration.ts'
import { isLoopbackHost } from '../kernel/loopback.ts'
import { parsePostgresUrl, postgresUrlForm } from '../kernel/postgres-url.ts'

/**
 * How a setting is parsed: `parse` returns undefined for an invalid text, `form` completes the sentence "must be ...", and `choices` lists the valid texts if
 * they are few.
 */
export interface SettingType<T> {
  readonly parse: (text: string) => T | undefined
  readonly form: string
  readonly choices?: readonly string[]
}

/** An address to listen on. `host` has no brackets; with port 0 the system chooses a port. */
export interface Listen {
  readonly host: string
  readonly port: number
}

/** The location of the database. A relative path is relative to the working directory; `:memory:` is a private temporary file. */
export type DatabaseLocation =
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'postgres'; readonly url: string }

/** How mails are sent. `secure` means TLS from the first byte; otherwise `tls` says whether STARTTLS is required. */
export interface Smtp {
  readonly host: string
  readonly port: number
  readonly secure: boolean
  readonly auth?: { readonly user: string; readonly pass: string }
  readonly tls: 'required' | 'opportunistic' | 'never'
}

/** A sender. `name` may be empty. */
export interface Mailbox {
  readonly name: string
  readonly address: string
}

/** Where avatars are stored: in a folder inside the data folder, or in a bucket. `prefix` is empty or ends with a slash. */
export type AvatarPlace =
  | { readonly kind: 'folder' }
  | {
      readonly kind: 's3'
      readonly bucket: string
      readonly prefix: string
      readonly endpoint: string
      readonly region: string
    }

/** Cost parameters of argon2id (RFC 9106). */
export interface PasswordCost {
  readonly memoryKiB: number
  readonly passes: number
  readonly lanes: number
}

export const duration: SettingType<number> = {
  parse: parseDuration,
  form: 'a positive duration such as 1s, 15m, 24h or 7d',
}

/** Parses a whole number in decimal digits within inclusive bounds. */
export function wholeNumber(least: number, most: number): SettingType<number> {
  return {
    parse: (text) =>
      /^\d{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : undefined,
    form: `a whole number from ${least} to ${most}`,
  }
}

/** Parses one of the given words; case matters. */
export function oneOf<const Word extends string>(...words: readonly Word[]): SettingType<Word> {
  return { parse: (text) => words.find((word) => word === text), form: `one of ${words.join(', ')}`, choices: words }
}

/** Parses a switch: the first word means true, the second false. */
export function either(yes: string, no: string): SettingType<boolean> {
  return {
    parse: (text) => (text === yes ? true : text === no ? false : undefined),
    form: `${yes} or ${no}`,
    choices: [yes, no],
  }
}

export const listen: SettingType<Listen> = {
  parse(text) {
    const match = /^(?:\[([^\]]+)\]|([a-z0-9.-]+)):(\d{1,5})$/i.exec(text)
    const host = match?.[1] ?? match?.[2]
    const port = Number(match?.[3])
    if (host === undefined || port > 65_535 || (match?.[1] !== undefined && !isIPv6(host))) return undefined

    return { host, port }
  },
  form: 'HOST:PORT such as 127.0.0.1:3000 or [::1]:3000, with a port from 0 to 65535',
}

// The pattern is checked before the URL parser, which would tolerate whitespace, backslashes and an empty query.
export const origin: SettingType<string> = {
  parse: (text) => (/^https?:\/\/[^\s/?#\\@*]+\/?$/i.test(text) ? URL.parse(text)?.origin : undefined),
  form: 'an http or https origin such as https://auth.example.com, without path, query, user name or wildcard',
}

export const origins: SettingType<readonly string[]> = {
  parse: (text) => everyItem(text, origin.parse),
  form: `a comma-separated list, each item of which is ${origin.form}`,
}

export const baseUrl: SettingType<string> = {
  parse: (text) =>
    /^https?:\/\/[^\s/?#\\@*]+(?:\/[^\s?#\\]*)?$/i.test(text) ? URL.parse(text)?.href.replace(/\/+$/, '') : undefined,
  form: 'an http or https URL without query, fragment or user name',
}

export const networks: SettingType<readonly string[]> = {
  parse: (text) => everyItem(text, parseNetwork),
  form: 'a comma-separated list of IP addresses and networks such as 10.0.0.0/8 or fd00::/8',
}

export const postgresUrl: SettingType<string> = {
  parse: (text) => (parsePostgresUrl(text) ? text : undefined),
  form: postgresUrlForm,
}

export const database: SettingType<DatabaseLocation> = {
  parse(text) {
    const url = postgresUrl.parse(text)
    if (url !== undefined) return { kind: 'postgres', url }

    const path = text.startsWith('sqlite:') ? folder.parse(text.slice('sqlite:'.length)) : undefined
    return path === undefined ? undefined : { kind: 'sqlite', path }
  },
  form: `sqlite:PATH, sqlite::memory: or ${postgresUrlForm}`,
}

export const folder: SettingType<string> = {
  parse: (text) => (/^[^\p{Cc}]+$/u.test(text) ? text : undefined),
  form: 'a path',
}

export const secretText: SettingType<string> = {
  parse: (text) => ([...text].length >= 32 ? text : undefined),
  form: 'text of at least 32 characters',
}

export const title: SettingType<string> = {
  parse: (text) => (/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,64}$/u.test(text) && text.trim() === text ? text : undefined),
  form: 'a name of 1 to 64 characters on one line, without spaces at its start or end',
}

export const color: SettingType<string> = {
  parse: (text) => (/^#[0-9a-f]{6}$/i.test(text) ? text.toLowerCase() : undefined),
  form: 'a colour such as #1b6b58',
}

export const webPage: SettingType<string> = {
  parse: (text) => (/^https?:\/\/[^\s\\@]+$/i.test(text) ? URL.parse(text)?.href : undefined),
  form: 'an http or https URL without user name',
}

export const audience: SettingType<string> = {
  parse: (text) =>
    /^[\x21-\x7e]{1,255}$/.test(text) && (!text.includes(':') || URL.canParse(text)) ? text : undefined,
  form: 'a word or URI of up to 255 ASCII characters without spaces (StringOrURI of RFC 7519)',
}

export const contact: SettingType<string> = {
  parse: (text) =>
    /^(?:mailto:[^\s@]+@[^\s@]+|https:\/\/[^\s/]\S*)$/.test(text) && URL.canParse(text) ? text : undefined,
  form: 'one mailto: or https: URI',
}

export const mailbox: SettingType<Mailbox> = {
  parse(text) {
    const match = /^(?:"((?:[^"\\\p{Cc}]|\\[^\p{Cc}])*)"|([^"\\<>\p{Cc}]*?)) ?<([^<>]*)>$/u.exec(text)
    const address = match ? match[3] : text
    if (address === undefined || !mailAddress.test(address)) return undefined

    return { name: match?.[1]?.replaceAll(/\\(.)/gu, '$1') ?? match?.[2] ?? '', address }
  },
  form: 'one address, or NAME <ADDRESS>',
}

const mailAddress = /^[^\s\p{Cc}<>()[\],;:@"\\]+@(?:[^\s\p{Cc}<>()[\],;:@"\\]+|\[[0-9a-z:.]+\])$/iu

/** Formats a mailbox so that `mailbox` can parse it; quotes the name only if necessary. */
export function formatMailbox({ name, address }: Mailbox): string {
  const shown = /["\\<>]/.test(name) ? `"${name.replaceAll(/["\\]/g, '\\$&')}"` : name
  return `${shown} <${address}>`
}

/** Returns the domain of an email address at the host of a URL. An IPv6 address is written as in RFC 5321, section 4.1.3. */
export function mailDomain(url: string): string {
  const { hostname } = new URL(url)
  return hostname.startsWith('[') ? `[IPv6:${hostname.slice(1)}` : hostname
}

/**
 * Returns the name for an SMTP greeting from the host of a URL: a domain or an address literal (RFC 5321, section 4.1.3), or `localhost` if the host is
 * neither.
 */
export function greetingName(url: string): string {
  const host = mailDomain(url)
  const name = isIPv4(host) ? `[${host}]` : host
  return smtpName.parse(name) ?? 'localhost'
}

export const smtpName: SettingType<string> = {
  parse(text) {
    const literal = /^\[(IPv6:)?([0-9a-f:.]+)\]$/i.exec(text)
    if (literal) return isIP(literal[2] ?? '') === (literal[1] === undefined ? 4 : 6) ? text : undefined

    const name = text.replace(/\.$/, '')
    return isDomainName(name) ? name : undefined
  },
  form: 'a host name, or an address in brackets such as [192.0.2.7] or [IPv6:2001:db8::7]',
}

/**
 * Follows RFC 1123, section 2.1, and allows the underscore used in container names. The last label must not be numeric, since IPv4 addresses end with a
 * number.
 */
function isDomainName(text: string): boolean {
  const labels = text.split('.')
  return (
    text.length <= 253 &&
    labels.every((label) => /^[a-z\d_](?:[a-z\d_-]{0,61}[a-z\d_])?$/i.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? '')
  )
}

export const smtpUrl: SettingType<Smtp> = {
  parse(text) {
    const url = /^smtps?:\/\/[^\s\\]+$/.test(text) ? URL.parse(text) : null
    if (!url?.hostname || !/^\/?$/.test(url.pathname) || url.hash !== '') return undefined

    const secure = url.protocol === 'smtps:'
    const never = url.search === '?tls=never'
    if ((url.search !== '' && !never) || (secure && never)) return undefined

    const auth = parseCredentials(url)
    if (auth === undefined) return undefined

    const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
    const tls = never ? 'never' : secure || !isLoopbackHost(host) ? 'required' : 'opportunistic'
    return { host, port: Number(url.port || (secure ? 465 : 587)), secure, ...auth, tls }
  },
  form:
    'smtp://[USER:PASSWORD@]HOST[:PORT], with ?tls=never to stay unencrypted, or smtps:// in the same form for TLS from the start, ' +
    'user and password percent-encoded',
}

// Minimum memory for 1, 2, 3, 4 and 5 or more passes: the configurations of equal strength in the OWASP Password Storage Cheat Sheet.
const leastMemoryKiB = [47_104, 19_456, 12_288, 9_216, 7_168]

export const passwordCost: SettingType<PasswordCost> = {
  parse(text) {
    const match = /^m=(\d{1,7}),t=([1-9]\d?),p=([1-9]\d?)$/.exec(text)
    const [memoryKiB, passes, lanes] = [Number(match?.[1]), Number(match?.[2]), Number(match?.[3])]
    const least = leastMemoryKiB[Math.min(passes, 5) - 1] ?? Number.POSITIVE_INFINITY
    return memoryKiB >= least && memoryKiB <= 1_048_576 ? { memoryKiB, passes, lanes } : undefined
  },
  form:
    'm=KIB,t=PASSES,p=LANES, no weaker than m=47104,t=1; m=19456,t=2; m=12288,t=3; m=9216,t=4 or m=7168,t=5, ' +
    'with at most m=1048576 (1 GiB), t=99 and p=99',
}

export const avatarPlace: SettingType<AvatarPlace> = {
  parse(text) {
    if (text === 'folder') return { kind: 'folder' }

    const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:\/[\w-][\w.-]*)*)\/?\?(\S+)$/.exec(text)
    const query = new URLSearchParams(match?.[3])
    const [endpoint, region] = [origin.parse(query.get('endpoint') ?? ''), query.get('region') ?? '']
    if (!match?.[1] || endpoint === undefined || !/^[a-z0-9-]{1,32}$/.test(region) || query.size !== 2) return undefined

    const folders = match[2]?.slice(1) ?? ''
    return { kind: 's3', bucket: match[1], prefix: folders === '' ? '' : `${folders}/`, endpoint, region }
  },
  form: 'folder, or s3://BUCKET[/PREFIX]?endpoint=ORIGIN&region=REGION, with an origin such as https://s3.example.com',
}

export const credential: SettingType<string> = {
  parse: (text) => (/^[\x21-\x7e]{1,256}$/.test(text) ? text : undefined),
  form: 'a word of up to 256 ASCII characters without spaces',
}

function everyItem<T>(text: string, parse: (item: string) => T | undefined): readonly T[] | undefined {
  if (text === '') return []

  const items = text.split(',').map((item) => parse(item.trim()))
  const good = items.filter((item) => item !== undefined)
  return good.length === items.length ? good : undefined
}

function parseNetwork(text: string): string | undefined {
  const match = /^([0-9a-f:.]+)(?:\/(\d{1,3}))?$/i.exec(text)
  const family = isIP(match?.[1] ?? '')
  const bits = family === 6 ? 128 : 32
  return family !== 0 && Number(match?.[2] ?? bits) <= bits ? text : undefined
}

function parseCredentials(url: URL): { auth?: { user: string; pass: string } } | undefined {
  if (url.username === '' && url.password === '') return {}
  if (url.username === '' || url.password === '') return undefined

  try {
    return { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } }
  } catch {
    return undefined // a stray percent sign
  }
}
