import { hour } from './clock.ts'
import { parseDuration } from './duration.ts'
import { isLoopbackHost } from './loopback.ts'

/** Where a PostgreSQL database is and how it is to be reached. */
export interface PostgresLocation {
  /** A name, an address, or the folder of a Unix socket. */
  readonly host: string
  readonly port: number
  /** Null leaves it to the driver, as for the password and the database. */
  readonly user: string | null
  readonly password: string | null
  readonly database: string | null
  /** Null is in clear. */
  readonly tls: PostgresTls | null
  /** The most connections of one process, without its listener. */
  readonly pool: number
  /** How long a new connection, or the wait for a free one, may take, in ms. */
  readonly connectTimeout: number
  /** ms */
  readonly statementTimeout: number
  /** ms */
  readonly lockTimeout: number
}

/** Always verified: `verify-ca` leaves out that the certificate names the host. */
export interface PostgresTls {
  readonly mode: 'verify-ca' | 'verify-full'
  /** Paths of PEM files. */
  readonly rootCert: string | null
  readonly cert: string | null
  readonly key: string | null
}

/** What `parsePostgresUrl` takes, to complete the sentence "must be ...". */
export const postgresUrlForm =
  'postgres://[USER:PASSWORD@]HOST[:PORT]/NAME, percent-encoded, with no other parameters than ' +
  'sslmode=disable, require, verify-full or verify-ca (with sslrootcert), sslrootcert=FILE, sslcert=FILE with sslkey=FILE, ' +
  'pool=1 to 1000, and connect_timeout, statement_timeout and lock_timeout=DURATION up to 1h'

const parameters = [
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'pool',
  'connect_timeout',
  'statement_timeout',
  'lock_timeout',
]
const longest = hour

/** Reads a PostgreSQL URL, or answers undefined: what is not understood is refused, since a mistyped option that protects would protect nobody. */
export function parsePostgresUrl(text: string): PostgresLocation | undefined {
  const url = /^postgres(?:ql)?:\/\/[^\s\\#]+$/.test(text) ? URL.parse(text) : null
  const names = [...(url?.searchParams.keys() ?? [])]
  const areKnown = new Set(names).size === names.length && names.every((name) => parameters.includes(name))
  const host = url && decode(url.hostname.replace(/^\[(.*)\]$/, '$1'))
  if (!url || !host || !areKnown || !/^\/?[^/]*$/.test(url.pathname)) return undefined

  const option = (name: string) => url.searchParams.get(name)
  const [user, password, database] = [decode(url.username), decode(url.password), decode(url.pathname.slice(1))]
  const tls = parseTls(isLocalHost(host), option)
  const pool = parsePool(option('pool') ?? '10')
  const connectTimeout = parseBound(option('connect_timeout') ?? '5s')
  const statementTimeout = parseBound(option('statement_timeout') ?? '10s')
  const lockTimeout = parseBound(option('lock_timeout') ?? '5s')
  if (user === undefined || password === undefined || database === undefined || tls === undefined) return undefined
  if (!pool || !connectTimeout || !statementTimeout || !lockTimeout) return undefined

  const port = Number(url.port || 5432)
  return { host, port, user, password, database, tls, pool, connectTimeout, statementTimeout, lockTimeout }
}

/** Whether no network lies between us and the database: it is on this machine, by loopback or a Unix socket. */
export function isLocalPostgres({ host }: PostgresLocation): boolean {
  return isLocalHost(host)
}

function isLocalHost(host: string): boolean {
  return host.startsWith('/') || isLoopbackHost(host)
}

/** `require` means what `verify-full` does: encryption without a look at the certificate lets in whoever is on the way. */
function parseTls(isLocal: boolean, option: (name: string) => string | null): PostgresTls | null | undefined {
  const [rootCert, cert, key] = [option('sslrootcert'), option('sslcert'), option('sslkey')]
  const hasFiles = rootCert !== null || cert !== null || key !== null
  if ([rootCert, cert, key].includes('') || (cert === null) !== (key === null)) return undefined

  const mode = option('sslmode') ?? (isLocal && !hasFiles ? 'disable' : 'verify-full')
  if (mode === 'disable') return hasFiles ? undefined : null
  if (mode === 'verify-ca') return rootCert === null ? undefined : { mode, rootCert, cert, key }
  return mode === 'require' || mode === 'verify-full' ? { mode: 'verify-full', rootCert, cert, key } : undefined
}

function parsePool(text: string): number | undefined {
  return /^[1-9]\d{0,3}$/.test(text) && Number(text) <= 1_000 ? Number(text) : undefined
}

function parseBound(text: string): number | undefined {
  const ms = parseDuration(text)
  return ms !== undefined && ms <= longest ? ms : undefined
}

/** Null is empty, undefined a stray percent sign. */
function decode(part: string): string | null | undefined {
  if (part === '') return null
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}
