import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { createResourceServer } from '../../packages/client/src/server.ts'
import { createAccessTokens } from '../../packages/gatelodge/src/domain/access-tokens.ts'
import { systemClock } from '../../packages/gatelodge/src/kernel/clock.ts'
import type { SessionId, UserId } from '../../packages/gatelodge/src/kernel/ids.ts'
import { systemRandom } from '../../packages/gatelodge/src/kernel/random.ts'

// One thread signs and verifies as fast as it can: with node:crypto alone, then as our tokens are created and verified. Reports the rate per second.
const duration = 1_500
const issuer = 'http://localhost:3000'
const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const publicJwk = { ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'EdDSA', use: 'sig' }
const usages = { private: ['sign'], public: ['verify'] } as const
const key = {
  kid: 'bench',
  alg: 'EdDSA',
  publicJwk,
  privateKey: privateKey.toCryptoKey('Ed25519', true, usages.private),
  publicKey: publicKey.toCryptoKey('Ed25519', true, usages.public),
  createdAt: 0,
  activatesAt: 0,
  retiresAt: null,
} as const
const keys = [key]
const kept = { peek: () => keys, get: async () => keys }
const settings = { issuer, audience: issuer, ttl: 86_400_000 }
const tokens = createAccessTokens(kept, settings, systemClock, systemRandom)
const subject = {
  userId: '01999999-0000-7000-8000-000000000000' as UserId,
  sessionId: 'AAAAAAAAAAAAAAAAAAAAAA' as SessionId,
  roles: [],
}
const texts = await Promise.all(Array.from({ length: 20_000 }, async () => (await tokens.sign(subject)).text))
const input = Buffer.from(texts[0]?.slice(0, texts[0].lastIndexOf('.')) ?? '')
const signature = sign(null, input, privateKey)
const server = createResourceServer({
  issuer,
  fetch: async () => new Response(JSON.stringify({ keys: [publicJwk] })),
})

let next = 0
const fresh = () => {
  next = (next + 1) % texts.length
  return texts[next] ?? ''
}
// Verified tokens are remembered, so each check uses a verifier that has not seen the token.
const stranger = () => createAccessTokens(kept, settings, systemClock, systemRandom)
let verifier = stranger()

process.send?.({
  bareSign: await rate(() => void sign(null, input, privateKey)),
  issue: await rate(() => tokens.sign(subject)),
  bareVerify: await rate(() => void verify(null, input, publicKey, signature)),
  verifyAtServer: await rate(() => {
    const text = fresh()
    if (next === 0) verifier = stranger()
    return verifier.verify(text)
  }),
  verifyByClient: await rate(() => server.verifyAccessToken(fresh())),
})
process.disconnect?.()

async function rate(work: () => unknown): Promise<number> {
  for (let index = 0; index < 200; index += 1) await work()
  const begin = performance.now()
  let done = 0
  while (performance.now() - begin < duration) {
    await work()
    done += 1
  }
  return (done * 1000) / (performance.now() - begin)
}
