import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'
import type { Actor } from '../kernel/actor.ts'
import { hour, type Instant, minute, toIso } from '../kernel/clock.ts'
import { AuthError } from '../kernel/errors.ts'
import type { Keyring } from '../kernel/sealing.ts'
import type { SigningAlgorithm, SigningKeyRow } from '../store/schema.ts'
import { transact, type UnitDeps, type Work } from '../store/unit-of-work.ts'
import { record } from './audit.ts'
import { type Cached, cached } from './cached.ts'

/** A key pair that signs access tokens. The private key is sealed in the database. */
export interface SigningKey {
  readonly kid: string
  readonly alg: SigningAlgorithm
  readonly publicJwk: JWK
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  readonly createdAt: Instant
  /** When it starts to sign. It is published earlier, so that verifiers know it by then. */
  readonly activatesAt: Instant
  /** When everything it signed has expired; null while it has no successor. */
  readonly retiresAt: Instant | null
}

/** How keys are created, and how long what they sign is valid. */
export interface KeySettings {
  readonly tokenAlgorithm: SigningAlgorithm
  /** In ms. */
  readonly accessTokenTtl: number
  /** The age at which a key gets a successor, in ms. */
  readonly keyRotation: number
}

/** How long a key is published before it signs, in ms. Clients cache key sets for less. */
export const publishedBefore = hour
/** How far the clocks of several machines may differ, in ms. During that time one of them may still sign with the previous key. */
const clockSkew = minute

/** Caches the signing keys of the database, newest first. */
export function keepSigningKeys(deps: UnitDeps): Cached<readonly SigningKey[]> {
  return cached(deps, (before) => readSigningKeys(deps, before))
}

/**
 * Creates the first key, or a successor if the newest key has another algorithm than the configured one.
 * @throws config_invalid if the secret does not open the keys
 */
export async function prepareSigningKeys(
  deps: UnitDeps,
  actor: Actor,
  settings: KeySettings,
  keys: Cached<readonly SigningKey[]>,
): Promise<void> {
  const [newest] = await keys.get()
  if (newest?.alg !== settings.tokenAlgorithm) await addKey(deps, actor, settings, newest?.kid ?? null)
}

/** Creates a successor for the newest key if it is old enough. Returns false if nothing was due. */
export async function rotateSigningKeyByAge(deps: UnitDeps, actor: Actor, settings: KeySettings): Promise<boolean> {
  const [newest] = await readKeyRows(deps)
  if (newest && deps.clock.now() < Math.max(newest.activates_at, newest.created_at) + settings.keyRotation) return false

  return addKey(deps, actor, settings, newest?.kid ?? null)
}

/**
 * Creates a successor for the newest key, with the same algorithm. It signs after it has been published for an hour; if a successor is already waiting, it
 * remains the next. With `compromised`, the new key signs immediately and all others are withdrawn: whatever they signed is rejected from now on.
 */
export async function rotateSigningKey(
  deps: UnitDeps,
  actor: Actor,
  settings: KeySettings,
  { compromised }: { compromised: boolean },
): Promise<void> {
  const [newest] = await readKeyRows(deps)
  const same = { ...settings, tokenAlgorithm: newest?.alg ?? settings.tokenAlgorithm }
  if (compromised) return replaceKeys(deps, actor, same)

  if (newest && newest.activates_at > deps.clock.now()) return
  await addKey(deps, actor, same, newest?.kid ?? null)
}

/**
 * Returns every signing key, newest first. `before` are the keys read earlier; they are returned if nothing has changed.
 * @throws config_invalid if the secret does not open them
 */
export async function readSigningKeys(
  deps: Pick<UnitDeps, 'store' | 'keyring'>,
  before: readonly SigningKey[] = [],
): Promise<readonly SigningKey[]> {
  const rows = await readKeyRows(deps)
  const isSame = rows.length === before.length && rows.every((row, index) => isOf(row, before[index]))
  if (isSame) return before
  return Promise.all(rows.map((row) => openKey(deps.keyring, row)))
}

/** Returns the key that signs now: the newest active one. */
export function signerAt(keys: readonly SigningKey[], now: Instant): SigningKey {
  // After a clock was set back, all keys may be in the future.
  const signer = keys.find(({ activatesAt }) => activatesAt <= now) ?? keys.at(-1)
  if (!signer) throw new Error('there is no signing key')
  return signer
}

/** Returns the published keys: the upcoming ones, the one that signs, and those whose tokens may still be valid. */
export function publishedAt(keys: readonly SigningKey[], now: Instant): readonly SigningKey[] {
  return keys.filter(({ retiresAt }) => retiresAt === null || retiresAt > now)
}

/** Adds a key after `newest`, unless another process already has. */
async function addKey(deps: UnitDeps, actor: Actor, settings: KeySettings, newest: string | null): Promise<boolean> {
  const made = await makeKey(deps.keyring, settings.tokenAlgorithm)
  return transact(deps, actor, async (work) => {
    await lockKeys(work)
    const [latest] = await readKeyRows({ store: work })
    if ((latest?.kid ?? null) !== newest) return false

    const activatesAt = newest === null ? work.now : work.now + publishedBefore
    await work.db
      .updateTable('signing_keys')
      .set({ retires_at: activatesAt + settings.accessTokenTtl + clockSkew })
      .where('retires_at', 'is', null)
      .execute()
    await insertKey(work, made, activatesAt)
    return true
  })
}

async function replaceKeys(deps: UnitDeps, actor: Actor, settings: KeySettings): Promise<void> {
  const made = await makeKey(deps.keyring, settings.tokenAlgorithm)
  await transact(deps, actor, async (work) => {
    await lockKeys(work)
    const withdrawn = await work.db.deleteFrom('signing_keys').returning('kid').execute()
    for (const { kid } of withdrawn) await record(work, 'key.withdrawn', null, { kid })
    await insertKey(work, made, work.now)
  })
}

interface MadeKey {
  readonly kid: string
  readonly alg: SigningAlgorithm
  readonly publicJwk: JWK
  readonly privateSealed: string
}

async function makeKey(keyring: Keyring, alg: SigningAlgorithm): Promise<MadeKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { ...generation[alg], extractable: true })
  const publicPart = await exportJWK(publicKey)
  const kid = await calculateJwkThumbprint(publicPart) // RFC 7638
  const privateSealed = keyring.seal('signing-key', JSON.stringify(await exportJWK(privateKey)), kid)
  return { kid, alg, publicJwk: { ...publicPart, kid, alg, use: 'sig', key_ops: ['verify'] }, privateSealed }
}

const generation = { EdDSA: { crv: 'Ed25519' }, ES256: {}, RS256: { modulusLength: 3072 } } as const

async function insertKey(work: Work, { kid, alg, publicJwk, privateSealed }: MadeKey, activatesAt: Instant) {
  await work.db
    .insertInto('signing_keys')
    .values({
      kid,
      alg,
      public_jwk: JSON.stringify(publicJwk),
      private_sealed: privateSealed,
      created_at: work.now,
      activates_at: activatesAt,
      retires_at: null,
    })
    .execute()
  work.changed('all')
  await record(work, 'key.created', null, { kid, alg, activates_at: toIso(activatesAt) })
}

/** Serialises processes that start on one empty database, or rotate at the same time. */
function lockKeys(work: Work): Promise<void> {
  return work.lockName('signing keys')
}

function readKeyRows({ store }: { store: Pick<UnitDeps['store'], 'db'> }): Promise<SigningKeyRow[]> {
  return store.db
    .selectFrom('signing_keys')
    .selectAll()
    .orderBy('activates_at', 'desc')
    .orderBy('created_at', 'desc')
    .orderBy('kid')
    .execute()
}

function isOf(row: SigningKeyRow, key: SigningKey | undefined): boolean {
  return key?.kid === row.kid && key.activatesAt === row.activates_at && key.retiresAt === row.retires_at
}

async function openKey(keyring: Keyring, row: SigningKeyRow): Promise<SigningKey> {
  const { kid, alg } = row
  const publicJwk = JSON.parse(row.public_jwk) as JWK
  return {
    kid,
    alg,
    publicJwk,
    privateKey: await importKey(openPrivateJwk(keyring, kid, row.private_sealed), alg),
    publicKey: await importKey(publicJwk, alg),
    createdAt: row.created_at,
    activatesAt: row.activates_at,
    retiresAt: row.retires_at,
  }
}

function openPrivateJwk(keyring: Keyring, kid: string, sealed: string): JWK {
  const text = keyring.open('signing-key', sealed, kid)
  if (text === undefined) throw wrongSecret()
  return JSON.parse(text) as JWK
}

async function importKey(jwk: JWK, alg: SigningAlgorithm): Promise<CryptoKey> {
  return (await importJWK(jwk, alg)) as CryptoKey // jose returns bytes only for symmetric keys
}

/** Returns the error of a server whose secret is not the one its database was sealed with. */
function wrongSecret(): AuthError {
  return new AuthError('config_invalid', {
    faults: [
      {
        field: 'GATELODGE_SECRET',
        code: 'wrong_secret',
        message: 'does not decrypt the keys in this database; use the secret that the database was created with',
      },
    ],
  })
}
