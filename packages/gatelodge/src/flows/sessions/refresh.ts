import { record } from '../../domain/audit.ts'
import type { Deps } from '../../domain/deps.ts'
import {
  findRefreshToken,
  type HeldToken,
  newRefreshToken,
  type OpenedSuccessor,
  openSuccessor,
  rotateRefreshToken,
  type Successor,
} from '../../domain/refresh-tokens.ts'
import { endSession, isLive, lockSession, noteSessionUse } from '../../domain/sessions.ts'
import { findUser, findWholeUser, type User } from '../../domain/users.ts'
import type { Actor } from '../../kernel/actor.ts'
import { AuthError } from '../../kernel/errors.ts'
import type { SessionId } from '../../kernel/ids.ts'
import type { SessionRow } from '../../store/schema.ts'
import { transact, type Work } from '../../store/unit-of-work.ts'

export interface Refreshed {
  readonly user: User
  readonly sessionId: SessionId
  readonly accessToken: string
  /** In seconds. */
  readonly expiresIn: number
  readonly refreshToken: string
}

/**
 * Rotates a refresh token (RFC 9700, section 4.14.2). Within the grace window a used token returns the same successor again, so that a lost answer or a second
 * tab signs no one out. After it the session ends, since one of the two holders must be a thief.
 * @throws token_invalid
 */
export async function refresh(deps: Deps, actor: Actor, input: { refreshToken: string }): Promise<Refreshed> {
  const seen = await findRefreshToken(deps.store.db, deps.keyring, input.refreshToken)
  const user = seen && (await findLiveUser(deps, seen.session))
  if (!seen || !user) throw new AuthError('token_invalid')

  const access = await deps.accessTokens.sign({ userId: user.id, sessionId: seen.session.id, roles: user.roles })
  const next: Successor = {
    accessToken: access.text,
    accessTokenEnds: deps.clock.now() + access.expiresIn * 1000,
    refreshToken: newRefreshToken(deps, seen.session.id),
  }
  const successor = await transact(deps, actor, (work) => rotate(deps, work, seen.session.id, input.refreshToken, next))
  if (!successor) throw new AuthError('token_invalid')
  return {
    user,
    sessionId: seen.session.id,
    accessToken: successor.accessToken,
    expiresIn: Math.max(0, Math.floor((successor.accessTokenEnds - deps.clock.now()) / 1000)),
    refreshToken: successor.refreshToken,
  }
}

/** Returns the one successor of a token, or undefined if it was reused after the grace window, in which case its session has ended. */
async function rotate(
  deps: Deps,
  work: Work,
  id: SessionId,
  text: string,
  next: Successor,
): Promise<OpenedSuccessor | undefined> {
  // Sign-out deletes the session and then its tokens: a refresh with the opposite order could deadlock with it.
  if (!(await lockSession(work, id))) return undefined

  const held = await findRefreshToken(work.db, work.keyring, text)
  if (!held || !isLive(held.session, deps.config, work.now)) return undefined
  const { session, row } = held
  if (row?.spentAt !== null) return again(deps, work, held)

  await rotateRefreshToken(work, held, row.id, next)
  await noteSessionUse(work, session.id)
  await record(work, 'refresh.rotated', session.user_id, { session_id: session.id })
  return { ...next, refreshToken: next.refreshToken.text }
}

async function again(deps: Deps, work: Work, held: HeldToken): Promise<OpenedSuccessor | undefined> {
  const { session, row } = held
  // Setting the clock back must not extend the grace window.
  const inGrace = row && row.spentAt !== null && Math.abs(work.now - row.spentAt) < deps.config.refreshGrace
  if (inGrace && row.sealed !== null) return openSuccessor(held)

  const ended = await endSession(work, session.user_id, session.id)
  if (ended) await record(work, 'refresh.reused', session.user_id, { session_id: session.id })
  return undefined
}

async function findLiveUser(deps: Deps, session: SessionRow): Promise<User | undefined> {
  const row = await findUser(deps.store.db, session.user_id)
  if (row?.is_active !== 1 || !isLive(session, deps.config, deps.clock.now())) return undefined
  return findWholeUser(deps.store.db, row)
}
