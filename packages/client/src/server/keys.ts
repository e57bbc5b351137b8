import { importJWK } from 'jose'
import { AuthError, AuthServiceUnavailable } from '../errors.ts'
import { isRecord } from '../json.ts'
import { askService, type Service, unavailable } from './service.ts'

/** Algorithms that may sign access tokens (RFC 7518; RFC 8037). */
export type Algorithm = 'EdDSA' | 'ES256' | 'RS256'

/** A public key, valid for one algorithm only (RFC 8725, section 3.1). */
export interface VerificationKey {
  readonly alg: Algorithm
  readonly key: CryptoKey
}

/** The public keys of the issuer. */
export interface Keys {
  /** Returns the key with this ID, or undefined if the issuer has none. @throws service_unavailable if the issuer cannot be reached */
  find(kid: string): Promise<VerificationKey | undefined>
}

const maxAge = 10 * 60_000
/** How long keys are accepted while the issuer cannot be reached, in ms. It may have withdrawn one meanwhile. */
const longestAge = 24 * 60 * 60_000
/** ms between two requests for keys, so that tokens with invented key IDs do not cause requests. */
const coolDown = 30_000
/** The same, while there is no key at all. */
const firstCoolDown = 1_000

/**
 * Caches the keys of a JWKS (RFC 7517): fetched on first use, after ten minutes, and for an unknown key ID. jose's `createRemoteJWKSet` would have no keys as
 * soon as the issuer is unavailable, ask again on each request meanwhile, and accept keys without `alg`.
 */
export function createKeys(
  service: Service & { readonly now: () => number },
  url: string,
  algorithms: readonly Algorithm[],
): Keys {
  let keys: ReadonlyMap<string, VerificationKey> = new Map()
  let fetchedAt = Number.NEGATIVE_INFINITY
  let triedAt = Number.NEGATIVE_INFINITY
  let failure: AuthError | undefined
  let running: Promise<void> | undefined

  async function find(kid: string): Promise<VerificationKey | undefined> {
    const isDue = !keys.has(kid) || since(fetchedAt) > maxAge
    if (isDue && keys.has(kid) && wasAway() && !areTooOld()) void refetch()
    else if (isDue) await refetch()
    const key = keys.get(kid)
    if (failure && (!key || areTooOld())) throw failure // the key may be new or withdrawn, which cannot be known without the issuer
    return key
  }

  /** Returns whether the last attempt failed recently: waiting for an issuer that does not respond would delay every request. */
  function wasAway(): boolean {
    return failure !== undefined && since(triedAt) <= maxAge
  }

  function areTooOld(): boolean {
    return keys.size > 0 && since(fetchedAt) > longestAge
  }

  async function refetch(): Promise<void> {
    // Some workers cancel a request when the event that started it ends: then there is neither a response nor an error.
    if (since(triedAt) > 2 * service.timeout) running = undefined
    if (!running && since(triedAt) >= (keys.size > 0 ? coolDown : firstCoolDown)) running = load()
    await running
  }

  /**
   * Known keys stay valid if the issuer does not respond, and become invalid if it responds without them. Never throws, since it may run without being
   * awaited.
   */
  async function load(): Promise<void> {
    triedAt = service.now()
    try {
      const { response, body } = await askService(service, url, {})
      if (response.status !== 200 || !isRecord(body) || !Array.isArray(body.keys)) throw unavailable(response, body)
      keys = await importKeys(body.keys, algorithms)
      fetchedAt = service.now()
      failure = undefined
    } catch (cause) {
      failure = cause instanceof AuthError ? cause : new AuthServiceUnavailable({ cause })
    } finally {
      running = undefined
    }
  }

  /** Returns the time since an instant, in ms. A clock that was set back must not extend it. */
  function since(at: number): number {
    return Math.abs(service.now() - at)
  }

  return { find }
}

/** Key types by algorithm. A key is imported only for its own algorithm, from the members that it requires, each a text. */
const kinds = {
  EdDSA: { kty: 'OKP', crv: 'Ed25519', members: ['x'] },
  ES256: { kty: 'EC', crv: 'P-256', members: ['x', 'y'] },
  RS256: { kty: 'RSA', crv: undefined, members: ['n', 'e'] },
} as const satisfies Record<Algorithm, object>

async function importKeys(list: readonly unknown[], algorithms: readonly Algorithm[]) {
  const keys = new Map<string, VerificationKey>()
  const twice = new Set<string>()
  for (const jwk of list) {
    const kid = isRecord(jwk) ? jwk.kid : undefined
    if (!isRecord(jwk) || typeof kid !== 'string') continue
    if (keys.has(kid)) twice.add(kid)
    const key = await importKey(jwk, algorithms)
    if (key) keys.set(kid, key)
  }
  for (const kid of twice) keys.delete(kid) // it is unclear which of them is meant
  return keys
}

async function importKey(
  jwk: Readonly<Record<string, unknown>>,
  algorithms: readonly Algorithm[],
): Promise<VerificationKey | undefined> {
  const alg = algorithms.find((allowed) => allowed === jwk.alg)
  if (alg === undefined) return undefined

  const { kty, crv, members } = kinds[alg]
  const isPublic = !['d', 'k', 'p', 'q'].some((name) => name in jwk)
  const isForSignatures = jwk.use === undefined || jwk.use === 'sig'
  const mayVerify = jwk.key_ops === undefined || (Array.isArray(jwk.key_ops) && jwk.key_ops.includes('verify'))
  if (jwk.kty !== kty || jwk.crv !== crv || !isPublic || !isForSignatures || !mayVerify) return undefined

  const material = Object.fromEntries(members.map((name) => [name, String(jwk[name])]))
  try {
    const data = { kty, ...(crv !== undefined && { crv }), ...material }
    const key = (await importJWK(data, alg, { extractable: false })) as CryptoKey // raw bytes result only from symmetric keys
    return isStrong(key) ? { alg, key } : undefined
  } catch {
    return undefined // an invalid key verifies nothing
  }
}

/** RFC 7518, section 3.3: RSA keys have at least 2048 bits. jose would only notice with the first signature, and throw a TypeError. */
function isStrong({ algorithm }: CryptoKey): boolean {
  return !('modulusLength' in algorithm) || Number(algorithm.modulusLength) >= 2_048
}
