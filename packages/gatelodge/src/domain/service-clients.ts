import type { Actor } from '../kernel/actor.ts'
import type { Instant } from '../kernel/clock.ts'
import { AuthError, invalidField } from '../kernel/errors.ts'
import { newId, newToken, sameText, sha256 } from '../kernel/ids.ts'
import type { ServiceClientRow } from '../store/schema.ts'
import type { ReadDb } from '../store/store.ts'
import { transact, type Work } from '../store/unit-of-work.ts'
import { record } from './audit.ts'
import type { Deps } from './deps.ts'
import { addressLimits, consume } from './limits.ts'
import { readScopes, scopesOf } from './scopes.ts'

/** A program of the operator that authenticates as itself; never its secret. */
export interface ServiceClient {
  readonly id: string
  readonly name: string
  /** The scopes that it may request. */
  readonly scopes: readonly string[]
  readonly createdAt: Instant
}

/** Every service client by its id, with the hash of its secret. */
export type ServiceClients = ReadonlyMap<string, ServiceClient & { readonly secretHash: string }>

/** The credentials that a client presents. */
export interface ClientCredentials {
  readonly id: string
  readonly secret: string
}

// A prefix that secret scanners can look for, and that no user id or session id has.
const idPrefix = 'client_'
const secretPrefix = 'gatelodge_secret_'

/** Returns whether a text has the form of a client id. */
export function isClientId(text: string): boolean {
  return /^client_[\w-]{22}$/.test(text)
}

/**
 * Creates a client and returns its secret, which is shown once: only its SHA-256 is stored.
 * @throws input_invalid for an invalid or taken name, or an invalid scope
 */
export async function createServiceClient(
  work: Work,
  input: { name: string; scopes: readonly string[] },
): Promise<{ client: ServiceClient; secret: string }> {
  const secret = `${secretPrefix}${newToken(work.random).secret}`
  const row: ServiceClientRow = {
    id: `${idPrefix}${newId(work.random)}`,
    name: readClientName(input.name),
    secret_hash: sha256(secret),
    scopes: readScopes('scope', input.scopes).join(' '),
    created_at: work.now,
  }
  const made = await work.db
    .insertInto('service_clients')
    .values(row)
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning('id')
    .executeTakeFirst()
  if (!made) throw invalidField('name', 'duplicate', 'A client with that name already exists')

  work.changed('all')
  const client = toClient(row)
  await record(work, 'service_client.created', null, { client_id: client.id, name: client.name, scopes: client.scopes })
  return { client, secret }
}

/** Deletes the client with this id or name. Its tokens are rejected from now on. @throws not_found */
export async function revokeServiceClient(work: Work, who: string): Promise<ServiceClient> {
  const row = await work.db
    .deleteFrom('service_clients')
    .where((eb) => eb.or([eb('id', '=', who), eb('name', '=', who)]))
    .returningAll()
    .executeTakeFirst()
  if (!row) throw new AuthError('not_found', { detail: 'No client has that ID or name' })

  work.changed('all')
  await record(work, 'service_client.revoked', null, { client_id: row.id, name: row.name })
  return toClient(row)
}

/** Returns every client with the hash of its secret, by name. */
export async function readServiceClients(db: ReadDb): Promise<ServiceClients> {
  const rows = await db.selectFrom('service_clients').selectAll().orderBy('name').execute()
  return new Map(rows.map((row) => [row.id, { ...toClient(row), secretHash: row.secret_hash }]))
}

/**
 * Returns the client with these credentials. A secret cannot be guessed, so a right one is never delayed: only rejections are counted, by address.
 * @throws invalid_client, rate_limited
 */
export async function verifyClientSecret(
  deps: Deps,
  actor: Actor,
  { id, secret }: ClientCredentials,
): Promise<ServiceClient> {
  const clients = deps.serviceClients.peek() ?? (await deps.serviceClients.get())
  const client = clients.get(id)
  if (client && sameText(client.secretHash, sha256(secret))) return client

  await consume(deps, actor, addressLimits.client, actor.ip ?? 'inside')
  const reason = client ? 'wrong_secret' : 'unknown_client'
  await transact(deps, actor, (work) => record(work, 'service_client.refused', null, { reason }))
  throw new AuthError('invalid_client')
}

function readClientName(name: string): string {
  if (!/^\w[\w .:@/-]{0,63}$/.test(name) || isClientId(name)) {
    throw invalidField('name', 'characters', 'Use 1 to 64 letters, digits, spaces and . : @ / _ - for the name')
  }
  return name
}

function toClient(row: ServiceClientRow): ServiceClient {
  return { id: row.id, name: row.name, scopes: scopesOf(row.scopes), createdAt: row.created_at }
}
