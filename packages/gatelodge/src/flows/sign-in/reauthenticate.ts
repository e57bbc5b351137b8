import { record } from '../../domain/audit.ts'
import {
  assertOwnPassword,
  finishSignIn,
  passwordProof,
  type SignedIn,
  startSession,
} from '../../domain/authentication.ts'
import type { Deps } from '../../domain/deps.ts'
import type { LiveSession } from '../../domain/session-cache.ts'
import { getUser, lockUser } from '../../domain/users.ts'
import type { Actor } from '../../kernel/actor.ts'
import { AuthError } from '../../kernel/errors.ts'
import { transact } from '../../store/unit-of-work.ts'

/**
 * Proves again that the holder of a session is its user: the session gets a new id and a fresh proof, the old id ends (ASVS 7.2.4).
 * @throws incorrect_password, token_invalid, rate_limited, overloaded
 */
export async function reauthenticate(
  deps: Deps,
  actor: Actor,
  me: LiveSession,
  input: { password: string },
): Promise<SignedIn> {
  const user = await getUser(deps.store.db, me.user.id)
  await assertOwnPassword(deps, actor, user, input.password)

  const started = await transact(deps, actor, async (work) => {
    const current = await lockUser(work, user.id)
    if (!current || current.password_hash !== user.password_hash) throw new AuthError('token_invalid')

    await record(work, 'reauthentication.succeeded', user.id, { method: 'pwd' })
    return startSession(deps, work, current, passwordProof, { kind: me.kind, remember: me.remember })
  })
  return finishSignIn(deps, started)
}
