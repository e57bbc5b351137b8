import { once } from 'node:events'
import { join } from 'node:path'
import { type Bench, type CheckFigures, introspectionOf, measureCases } from './measure.ts'
import { peersFolder } from './peers.ts'
import { freePort, local, startOnServerCore, stop } from './processes.ts'
import { progress } from './progress.ts'

/** Introspection compared with oidc-provider, and signatures per second in one thread. */
export interface TokenFigures {
  readonly checks: readonly CheckFigures[]
  readonly signatures: Signatures
  readonly hasPeers: boolean
}

/** Operations per second. */
export interface Signatures {
  readonly bareSign: number
  readonly issue: number
  readonly bareVerify: number
  readonly verifyAtServer: number
  readonly verifyByClient: number
}

/** Measures introspection, alternating with hello and, if installed, the peers. */
export async function measureTokens(bench: Bench, withPeers: boolean): Promise<TokenFigures> {
  progress.say('signing and verifying')
  const signer = startOnServerCore([local('subjects/signatures.ts')])
  const [signatures] = await once(signer, 'message')
  await stop(signer)
  if (!withPeers) return { checks: [], signatures, hasPeers: false }

  const port = await freePort()
  const child = startOnServerCore([join(peersFolder, 'oidc-provider.mjs'), String(port)])
  try {
    const [{ client, token }] = await once(child, 'message')
    const oidc = { name: 'oidc-provider', child, url: `http://127.0.0.1:${port}` }
    const { hello, gatelodge, seeded } = bench
    const checks = await measureCases(bench, [
      { name: 'raw hello', server: hello, requests: [{ path: '/' }], expected: '{"hello":"world"}' },
      {
        name: 'introspection',
        server: gatelodge,
        requests: [introspectionOf(seeded.client, seeded.accessToken)],
        expected: '"active":true',
      },
      {
        name: 'oidc-provider',
        server: oidc,
        requests: [introspectionOf(client, token, '/token/introspection')],
        expected: '"active":true',
      },
    ])
    return { checks, signatures, hasPeers: true }
  } finally {
    await stop(child)
  }
}
