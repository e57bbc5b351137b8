import { readFileSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { Kysely, sql } from 'kysely'
import pg from 'pg'
import { type Monotonic, minute, second, systemMonotonic } from '../kernel/clock.ts'
import { AuthError } from '../kernel/errors.ts'
import { type PostgresLocation, type PostgresTls, parsePostgresUrl } from '../kernel/postgres-url.ts'
import { type Random, systemRandom } from '../kernel/random.ts'
import { within } from '../kernel/within.ts'
import { postgresDialect } from './postgres-driver.ts'
import { isRetriable } from './postgres-errors.ts'
import { createPostgresListener } from './postgres-listener.ts'
import type { Schema } from './schema.ts'
import type { Store } from './store.ts'
import { provePostgresWrite } from './write-proof.ts'

export interface PostgresOptions {
  readonly url: string
  /** URL for the listener, needed when `url` points to a connection pooler. */
  readonly direct?: string | null
  readonly monotonic?: Monotonic
  /** Creates the stream for a pooled connection, instead of its own socket. */
  readonly stream?: () => Duplex
}

/** Connections are replaced after this time, in s, so that reads do not stay on a server that is no longer the primary. */
const connectionLife = (10 * minute) / second
const idleConnectionLife = minute
/** How long closing the connections may take, in ms. */
const closeTimeout = 2 * second

/**
 * Opens a pool of connections to a PostgreSQL database. Connects on first use.
 * @throws config_invalid if the URL is invalid or a file that it names cannot be read
 */
export function openPostgres({ url, direct, monotonic = systemMonotonic, stream }: PostgresOptions): Store {
  const location = readLocation(url)
  const types = new pg.TypeOverrides()
  types.setTypeParser(pg.types.builtins.INT8, Number)
  const pool = new pg.Pool({
    ...toClientOptions(location),
    ...(stream && { stream }),
    types,
    max: location.pool,
    idleTimeoutMillis: idleConnectionLife,
    maxLifetimeSeconds: connectionLife,
  })
  const clients = new Set<pg.PoolClient>()
  pool.on('error', () => {}) // a broken idle connection is replaced; the next query reports what is wrong
  pool.on('connect', (client) => {
    clients.add(client)
    client.on('error', () => {}) // a connection that breaks while in use fails its query; without a listener it would also end the process
  })
  pool.on('remove', (client) => clients.delete(client))
  const db = new Kysely<Schema>({ dialect: postgresDialect(pool, location) })
  const unboundedDb = new Kysely<Schema>({ dialect: postgresDialect(pool, null) })
  const listener = createPostgresListener({
    connection: postgresClientOptions(direct ?? url),
    notify: (payload) =>
      db
        .connection()
        .execute(async (one) => void (await sql`select pg_notify('gatelodge', ${payload()})`.execute(one))),
    monotonic,
    random: systemRandom,
  })

  return {
    engine: 'postgres',
    db,
    migrationDb: db,
    transaction: (work, { unbounded = false } = {}) =>
      retry(systemRandom, () => (unbounded ? unboundedDb : db).transaction().execute(work)),
    proveWrite: () => provePostgresWrite((work) => db.transaction().execute(work)),
    async lockName(db, name) {
      await sql`select pg_advisory_xact_lock(hashtextextended(${`gatelodge ${name}`}, 0))`.execute(db)
    },
    async notify(db, notice) {
      await sql`select pg_notify('gatelodge', ${listener.payloadOf(notice)})`.execute(db)
    },
    onNotice: listener.onNotice,
    listen: listener.start,
    seesForeignCommits: listener.isHearing,
    pool: () => ({ open: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    foreignVersion: listener.version,
    async backup() {
      throw new AuthError('command_invalid', { detail: 'Back up PostgreSQL with pg_dump.' })
    },
    truncateLog: async () => true,
    async rewrite() {},
    async close() {
      listener.stop()
      await within(
        closeTimeout,
        pool.end(),
        () => new Error('the connections to the database did not close in time'),
      ).catch(() => {
        for (const client of clients) socketOf(client).destroy() // of a server that hangs, which must not keep this process from exiting
      })
    },
  }
}

/** Returns the connection settings for a URL as in GATELODGE_DATABASE. @throws config_invalid */
export function postgresClientOptions(url: string): pg.ClientConfig {
  return toClientOptions(readLocation(url))
}

function readLocation(url: string): PostgresLocation {
  const location = parsePostgresUrl(url)
  if (location) return location
  throw new AuthError('config_invalid', { detail: 'The database URL is not valid' })
}

function toClientOptions(location: PostgresLocation): pg.ClientConfig {
  const { host, port, user, password, database, tls, connectTimeout } = location
  return {
    host,
    port,
    ...(user !== null && { user }),
    ...(password !== null && { password }),
    ...(database !== null && { database }),
    ssl: tls === null ? false : toTlsOptions(tls),
    connectionTimeoutMillis: connectTimeout,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10 * second,
    application_name: 'gatelodge',
  }
}

function toTlsOptions({ mode, rootCert, cert, key }: PostgresTls): NonNullable<pg.ClientConfig['ssl']> {
  return {
    ...(rootCert !== null && { ca: readPem(rootCert, 'sslrootcert') }),
    ...(cert !== null && key !== null && { cert: readPem(cert, 'sslcert'), key: readPem(key, 'sslkey') }),
    ...(mode === 'verify-ca' && { checkServerIdentity: () => undefined }),
  }
}

function readPem(path: string, parameter: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const detail = `${parameter} in the database URL names a file that cannot be read`
    throw new AuthError('config_invalid', { detail, cause })
  }
}

/** Retries transactions that the server rolled back, after a random pause so that the same two do not collide again. */
async function retry<T>(random: Random, run: () => Promise<T>, tries = 5): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (tries === 1 || !isRetriable(error)) throw error
    await pause(5 + (random.bytes(1)[0] ?? 0) / 8)
    return retry(random, run, tries - 1)
  }
}

function socketOf(client: pg.PoolClient): { destroy(): void } {
  return (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream // present in pg 8, missing from its types
}
