import { hour } from './clock.ts'
import { parseDuration } from './duration.ts'
import { isLoopbackHost } from './loopback.ts'

/** The location of a PostgreSQL database and how to connect to it. */
export interface PostgresLocation {
  /** A host name, an address, or the folder of a Unix socket. */
  readonly host: string
  readonly port: number
  /** Null uses the driver's default, as for the password and the database. */
  readonly user: string | null
  readonly password: string | null
  readonly database: string | null
  /** Null means without encryption. */
  readonly tls: PostgresTls | null
  /** Maximum connections per process, excluding its listener. */
  readonly pool: number
  /** Timeout for opening a connection or waiting for a free one, in ms. */
  readonly connectTimeout: number
  /** ms */
  readonly statementTimeout: number
  /** ms */
  readonly lockTimeout: number
}

/** Certificates are always verified. `verify-ca` only skips the check that the certificate names the host. */
export interface PostgresTls {
  readonly mode: 'verify-ca' | 'verify-full'
  /** Paths of PEM files. */
  readonly rootCert: string | null
  readonly cert: string | null
  readonly key: string | null
}

/** The URLs that `parsePostgresUrl` accepts; completes the sentence "must be ...". */
export const postgresUrlForm =
  'postgres://[USER:PASSWORD@]HOST[:PORT]/NAME, percent-encoded, with no parameters other than ' +
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

/** Parses a PostgreSQL URL. Returns undefined if any part is not understood, since a mistyped security option would otherwise have no effect. */
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

/** Returns whether the database is on this machine, reached over loopback or a Unix socket, so that no network lies in between. */
export function isLocalPostgres({ host }: PostgresLocation): boolean {
  return isLocalHost(host)
}

function isLocalHost(host: string): boolean {
  return host.startsWith('/') || isLoopbackHost(host)
}

/** Treats `require` like `verify-full`: encryption without verifying the certificate does not stop an attacker on the network path. */
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

/** Decodes a part of a URL. Returns null if it is empty, undefined for a stray percent sign. */
function decode(part: string): string | null | undefined {
  if (part === '') return null
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}
