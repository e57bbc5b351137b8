import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'
import { sql } from 'kysely'
import { innerActor } from '../kernel/actor.ts'
import { AuthError } from '../kernel/errors.ts'
import type { Keyring } from '../kernel/sealing.ts'
import { transact, type UnitDeps } from '../store/unit-of-work.ts'
import { record } from './audit.ts'

/** A key pair that signs access tokens. The private half lives sealed in the database. */
export interface SigningKey {
  readonly kid: string
  readonly alg: 'EdDSA'
  readonly publicJwk: JWK
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
}

/** Every signing key, the newest first; makes the first one. @throws config_invalid when the secret does not open them */
export async function loadSigningKeys(deps: UnitDeps): Promise<SigningKey[]> {
  const found = await readSigningKeys(deps)
  if (found.length > 0) return found

  await createSigningKey(deps)
  return readSigningKeys(deps)
}

/** Every signing key, the newest first. @throws config_invalid when the secret does not open them */
export async function readSigningKeys(deps: Pick<UnitDeps, 'store' | 'keyring'>): Promise<SigningKey[]> {
  const rows = await deps.store.db
    .selectFrom('signing_keys')
    .selectAll()
    .where('retired_at', 'is', null)
    .orderBy('created_at', 'desc')
    .orderBy('kid')
    .execute()

  return Promise.all(
    rows.map(async (row) => {
      const publicJwk = JSON.parse(row.public_jwk) as JWK
      return {
        kid: row.kid,
        alg: row.alg,
        publicJwk,
        privateKey: await importKey(openPrivateJwk(deps.keyring, row.kid, row.private_sealed)),
        publicKey: await importKey(publicJwk),
      }
    }),
  )
}

async function createSigningKey(deps: UnitDeps): Promise<void> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  const publicPart = await exportJWK(publicKey)
  const kid = await calculateJwkThumbprint(publicPart) // RFC 7638
  const publicJwk: JWK = { ...publicPart, kid, alg: 'EdDSA', use: 'sig', key_ops: ['verify'] }
  const privateJwk = await exportJWK(privateKey)

  await transact(deps, innerActor('job', 'start'), async (work) => {
    // Several processes may start on one empty database: they wait for each other at these rows, and the first key stays.
    await sql`update schema_migrations set name = name`.execute(work.db)
    const taken = await work.db.selectFrom('signing_keys').select('kid').limit(1).executeTakeFirst()
    if (taken) return

    await work.db
      .insertInto('signing_keys')
      .values({
        kid,
        alg: 'EdDSA',
        public_jwk: JSON.stringify(publicJwk),
        private_sealed: work.keyring.seal('signing-key', JSON.stringify(privateJwk), kid),
        created_at: work.now,
        retired_at: null,
      })
      .execute()
    await record(work, 'key.created', null, { kid, alg: 'EdDSA' })
  })
}

function openPrivateJwk(keyring: Keyring, kid: string, sealed: string): JWK {
  const text = keyring.open('signing-key', sealed, kid)
  if (text === undefined) throw wrongSecret()
  return JSON.parse(text) as JWK
}

async function importKey(jwk: JWK): Promise<CryptoKey> {
  return (await importJWK(jwk, 'EdDSA')) as CryptoKey // jose answers bytes only for symmetric keys
}

/** The refusal of a server whose secret is not the one its database was sealed with. */
function wrongSecret(): AuthError {
  return new AuthError('config_invalid', {
    faults: [
      {
        field: 'GATELODGE_SECRET',
        code: 'wrong_secret',
        message: 'does not open the keys in this database; use the secret that the database was made with',
      },
    ],
  })
}
