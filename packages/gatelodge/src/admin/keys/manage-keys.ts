import type { Deps } from '../../domain/deps.ts'
import { publishedAt, readSigningKeys, rotateSigningKey, type SigningKey, signerAt } from '../../domain/signing-keys.ts'
import type { Actor } from '../../kernel/actor.ts'

/** A signing key as operators see it, without the private key. */
export interface ListedKey extends Pick<SigningKey, 'kid' | 'alg' | 'createdAt' | 'activatesAt' | 'retiresAt'> {
  /** A `next` key is published but does not sign yet. A `former` key no longer signs, and is published until its last token has expired. */
  readonly state: 'next' | 'signing' | 'former'
}

/** Returns the published signing keys, newest first. */
export async function listKeys(deps: Deps, _actor: Actor): Promise<ListedKey[]> {
  const now = deps.clock.now()
  const keys = publishedAt(await readSigningKeys(deps), now)
  const signer = signerAt(keys, now)
  return keys.map(({ kid, alg, createdAt, activatesAt, retiresAt }) => ({
    kid,
    alg,
    createdAt,
    activatesAt,
    retiresAt,
    state: kid === signer.kid ? 'signing' : activatesAt > now ? 'next' : 'former',
  }))
}

/** Creates a successor of the signing key or, if the key is compromised, a replacement that takes effect immediately. Returns the keys after the change. */
export async function rotateKeys(
  deps: Deps,
  actor: Actor,
  input: { compromised: boolean },
): Promise<readonly ListedKey[]> {
  await rotateSigningKey(deps, actor, deps.config, input)
  return listKeys(deps, actor)
}
