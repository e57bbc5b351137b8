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
 * Reauthenticates the user of a session by password. Replaces the session with a new one that has a new ID and a fresh proof (ASVS 7.2.4).
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
    await lockCaller(work, me) // of parallel requests, only the first replaces the session
    await record(work, 'reauthentication.succeeded', user.id, { method: 'pwd' })
    return decideSignIn(deps, work, user, passwordProof, {
      kind: me.principal.via === 'cookie' ? 'cookie' : 'token',
      remember: me.remember,
    })
  })
  return finishSignIn(deps, decision)
}
