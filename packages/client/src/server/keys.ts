import { importJWK } from 'jose'
import { AuthError, AuthServiceUnavailable } from '../errors.ts'
import { isRecord } from '../json.ts'
import { askService, type Service, unavailable } from './service.ts'

/** What may sign access tokens (RFC 7518; RFC 8037). */
export type Algorithm = 'EdDSA' | 'ES256' | 'RS256'

/** A public key, good for one algorithm only (RFC 8725, section 3.1). */
export interface VerificationKey {
  readonly alg: Algorithm
  readonly key: CryptoKey
}

/** The public keys of the issuer. */
export interface Keys {
  /** The key of this name, undefined when the issuer has none. @throws service_unavailable when the issuer could not be asked */
  find(kid: string): Promise<VerificationKey | undefined>
}

const maxAge = 10 * 60_000
/** For how long keys are good while the issuer cannot be reached, in ms: it may have withdrawn one meanwhile. */
const longestAge = 24 * 60 * 60_000
/** ms between two requests for keys, so that tokens with invented names do not become requests. */
const coolDown = 30_000
/** The same as long as there is no key at all. */
const firstCoolDown = 1_000

/**
 * Keeps the keys of a JWKS (RFC 7517): asked for when first needed, after ten minutes, and for a name that is new. `createRemoteJWKSet` of jose would have no key
 * as soon as the issuer is away, ask again for each request meanwhile, and take keys without `alg`.
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
    if (failure && (!key || areTooOld())) throw failure // it may be a new key, or a withdrawn one, that nobody could tell of
    return key
  }

  /** Whether the last try failed, and lately: to wait for an issuer that is silent would hold up every request in turn. */
  function wasAway(): boolean {
    return failure !== undefined && since(triedAt) <= maxAge
  }

  function areTooOld(): boolean {
    return keys.size > 0 && since(fetchedAt) > longestAge
  }

  async function refetch(): Promise<void> {
    // Some workers end a request together with what started it: no answer comes, and no failure either.
    if (since(triedAt) > 2 * service.timeout) running = undefined
    if (!running && since(triedAt) >= (keys.size > 0 ? coolDown : firstCoolDown)) running = load()
    await running
  }

  /** Known keys stay good when the issuer does not answer, and go when it answers without them. Raises nothing: nobody may wait for it. */
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

  /** A clock that was set back must not stretch an age. */
  function since(at: number): number {
    return Math.abs(service.now() - at)
  }

  return { find }
}

/** Kinds of keys by algorithm: a key is imported for its own algorithm alone, of the members that make it, each a text. */
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
  for (const kid of twice) keys.delete(kid) // which of them is meant, nobody can say
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
    const key = (await importJWK(data, alg, { extractable: false })) as CryptoKey // bytes come of symmetric keys only
    return isStrong(key) ? { alg, key } : undefined
  } catch {
    return undefined // what is no key verifies nothing
  }
}

/** RFC 7518, section 3.3: RSA keys have 2048 bits or more. jose notices at the first signature, as a fault of the program. */
function isStrong({ algorithm }: CryptoKey): boolean {
  return !('modulusLength' in algorithm) || Number(algorithm.modulusLength) >= 2_048
}
