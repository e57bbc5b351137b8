import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { Fetch } from '../../src/ask.ts'
import { createResourceServer, type ResourceServerOptions } from '../../src/server.ts'

export const issuer = 'https://auth.example.com'
export const start = Date.UTC(2026, 10, 20, 10, 5)

/** A key pair, with its public half as in a JWKS. */
export interface SigningKey {
  readonly alg: string
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly jwk: Readonly<Record<string, unknown>>
}

export function signingKey(alg: 'EdDSA' | 'ES256' | 'RS256', kid: string, modulusLength = 2_048): SigningKey {
  const { privateKey, publicKey } = pairOf(alg, modulusLength)
  return { alg, kid, privateKey, publicKey, jwk: { ...publicKey.export({ format: 'jwk' }), alg, kid, use: 'sig' } }
}

function pairOf(alg: 'EdDSA' | 'ES256' | 'RS256', modulusLength: number) {
  if (alg === 'EdDSA') return generateKeyPairSync('ed25519')
  return alg === 'ES256'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength })
}

/** Creates a resource server on a JWKS that the test can change. Records what is fetched. */
export function openResourceServer(keys: readonly SigningKey[], options: Partial<ResourceServerOptions> = {}) {
  const state = {
    now: start,
    jwks: { keys: keys.map(({ jwk }) => jwk) } as unknown,
    /** While set, responds instead of the JWKS. */
    instead: undefined as (() => Response | Promise<Response>) | undefined,
    fetched: [] as string[],
  }
  const fetch: Fetch = async (input) => {
    state.fetched.push(String(input))
    return state.instead ? state.instead() : Response.json(state.jwks)
  }
  return { state, server: createResourceServer({ issuer, fetch, now: () => state.now, ...options }) }
}

export const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url')

/** Returns the claims of a valid user token. */
export function userClaims(now = start) {
  const iat = Math.floor(now / 1_000)
  return {
    iss: issuer,
    sub: '019a9e4f-3c00-7000-8000-000000000001',
    aud: issuer,
    exp: iat + 900,
    iat,
    jti: 'token-1',
    sid: 'session-1',
    client_id: 'gatelodge',
    roles: ['editor'],
  }
}

/** Returns the claims of a valid token of a service client. */
export function clientClaims(now = start) {
  const { sid: _sid, roles: _roles, ...claims } = userClaims(now)
  return { ...claims, sub: 'client_billing', client_id: 'client_billing', scope: 'orders:read orders:write' }
}

/** Signs any content with a key, by its own algorithm. */
export function signed(
  { alg, kid, privateKey }: SigningKey,
  claims: unknown,
  header: Record<string, unknown> = {},
): string {
  const input = `${encode({ alg, kid, typ: 'at+jwt', ...header })}.${typeof claims === 'string' ? claims : encode(claims)}`
  return `${input}.${signatureOf(alg, privateKey, input).toString('base64url')}`
}

export function signatureOf(alg: string, key: KeyObject, input: string): Buffer {
  const data = Buffer.from(input)
  if (alg === 'EdDSA') return sign(null, data, key)
  return sign('sha256', data, alg === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' } : key)
}

export function hmac(key: string | Buffer, input: string): Buffer {
  return createHmac('sha256', key).update(input).digest()
}
