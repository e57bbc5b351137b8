import { record } from '../../domain/audit.ts'
import { decideSignIn, finishSignIn, type SignInOutcome } from '../../domain/authentication.ts'
import type { Deps } from '../../domain/deps.ts'
import { assertOwnPassword, passwordProof } from '../../domain/factors/password.ts'
import type { LiveSession } from '../../domain/session-cache.ts'
import { lockCaller } from '../../domain/sessions.ts'
import { getUser } from '../../domain/users.ts'
import type { Actor } from '../../kernel/actor.ts'
import { transact } from '../../store/unit-of-work.ts'

/**
 * Proves again that the holder of a session is its user: the session gets a new id and a fresh proof, the old id ends (ASVS 7.2.4).
 * @throws incorrect_password, invalid_credentials, token_invalid, rate_limited, overloaded
 */
export async function reauthenticate(
  deps: Deps,
  actor: Actor,
  me: LiveSession,
  input: { password: string },
): Promise<SignInOutcome> {
  const seen = await getUser(deps.store.db, me.user.id)
  const user = await assertOwnPassword(deps, actor, seen, input.password)

  const decision = await transact(deps, actor, async (work) => {
    await lockCaller(work, me) // one proof replaces the session; those that come later have none to replace
    await record(work, 'reauthentication.succeeded', user.id, { method: 'pwd' })
    return decideSignIn(deps, work, user, passwordProof, {
      kind: me.principal.via === 'cookie' ? 'cookie' : 'token',
      remember: me.remember,
    })
  })
  return finishSignIn(deps, decision)
}
