import type { Deps } from '../../domain/deps.ts'
import { publishedAt, readSigningKeys, rotateSigningKey, type SigningKey, signerAt } from '../../domain/signing-keys.ts'
import type { Actor } from '../../kernel/actor.ts'

/** A signing key as operators see it: never its private half. */
export interface ListedKey extends Pick<SigningKey, 'kid' | 'alg' | 'createdAt' | 'activatesAt' | 'retiresAt'> {
  /** `next` is published and does not sign yet; `former` signs no more and is published until its last token has expired. */
  readonly state: 'next' | 'signing' | 'former'
}

/** The published signing keys, the newest first. */
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

/** Gives the signing key a successor, or, when it is compromised, a replacement at once. Answers the keys as they are then. */
export async function rotateKeys(
  deps: Deps,
  actor: Actor,
  input: { compromised: boolean },
): Promise<readonly ListedKey[]> {
  await rotateSigningKey(deps, actor, deps.config, input)
  return listKeys(deps, actor)
}
