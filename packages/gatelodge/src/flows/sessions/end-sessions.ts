import { record } from '../../domain/audit.ts'
import type { Deps } from '../../domain/deps.ts'
import type { LiveSession } from '../../domain/session-cache.ts'
import { endSession, endSessions, findSessionsOf, lockCaller, type Session } from '../../domain/sessions.ts'
import type { Actor } from '../../kernel/actor.ts'
import { AuthError } from '../../kernel/errors.ts'
import type { SessionId } from '../../kernel/ids.ts'
import { transact } from '../../store/unit-of-work.ts'

/** Returns the caller's live sessions, newest first. */
export async function listSessions(deps: Deps, _actor: Actor, me: LiveSession): Promise<Session[]> {
  return findSessionsOf(deps.store.db, deps.config, me.user.id, deps.clock.now())
}

/** Ends one of the caller's own sessions. @throws token_invalid; not_found, also for another user's session */
export async function revokeSession(deps: Deps, actor: Actor, me: LiveSession, input: { id: string }): Promise<void> {
  const ended = await transact(deps, actor, async (work) => {
    await lockCaller(work, me)
    const id = input.id as SessionId // a text that is not a session id finds nothing
    if (!(await endSession(work, me.user.id, id))) return false
    await record(work, 'session.ended', me.user.id, { session_id: id, reason: 'revoked' })
    return true
  })
  if (!ended) throw new AuthError('not_found')
}

/** Ends all of the caller's sessions except the current one. @throws token_invalid */
export async function revokeOtherSessions(deps: Deps, actor: Actor, me: LiveSession): Promise<void> {
  await transact(deps, actor, async (work) => {
    await lockCaller(work, me) // a session that is replaced at the same time ends too
    const count = await endSessions(work, me.user.id, me.session.id)
    await record(work, 'session.others_ended', me.user.id, { count })
  })
}
