import { record } from '../../domain/audit.ts'
import type { Deps } from '../../domain/deps.ts'
import { findRefreshToken } from '../../domain/refresh-tokens.ts'
import { endSession } from '../../domain/sessions.ts'
import type { Actor } from '../../kernel/actor.ts'
import { undefinedOn } from '../../kernel/errors.ts'
import { parseToken, type SessionId, sameText, sha256 } from '../../kernel/ids.ts'
import type { SessionRow } from '../../store/schema.ts'
import { transact } from '../../store/unit-of-work.ts'

/** The credentials that the caller sent. Each names a session to end. */
export interface SignOut {
  readonly sessionToken?: string | undefined
  readonly refreshToken?: string | undefined
  /** Must be genuine, but may have expired. */
  readonly accessToken?: string | undefined
}

/** Ends the sessions that the credentials name, and returns the username of the last one, or null. Ending none is not an error. */
export async function signOut(deps: Deps, actor: Actor, input: SignOut): Promise<{ username: string | null }> {
  const sessions = [
    await bySessionToken(deps, input.sessionToken),
    await byRefreshToken(deps, input.refreshToken),
    await byAccessToken(deps, input.accessToken),
  ].filter((session) => session !== undefined)
  if (sessions.length === 0) return { username: null }

  return transact(deps, actor, async (work) => {
    let username: string | null = null
    for (const session of new Map(sessions.map((named) => [named.id, named])).values()) {
      if (!(await endSession(work, session.user_id, session.id))) continue

      await record(work, 'session.ended', session.user_id, { session_id: session.id, reason: 'signout' })
      const user = await work.db
        .selectFrom('users')
        .select('username')
        .where('id', '=', session.user_id)
        .executeTakeFirst()
      username = user?.username ?? null
    }
    return { username }
  })
}

async function bySessionToken(deps: Deps, text: string | undefined): Promise<SessionRow | undefined> {
  const parts = parseToken(text ?? '')
  const session = parts && (await findSession(deps, parts.id as SessionId))
  if (!parts || !session || session.secret_hash === null) return undefined
  return sameText(session.secret_hash, sha256(parts.secret)) ? session : undefined
}

async function byRefreshToken(deps: Deps, text: string | undefined): Promise<SessionRow | undefined> {
  return (await findRefreshToken(deps.store.db, deps.keyring, text ?? ''))?.session
}

async function byAccessToken(deps: Deps, text: string | undefined): Promise<SessionRow | undefined> {
  if (text === undefined) return undefined
  return undefinedOn('token_invalid', async () => {
    const { sid } = await deps.accessTokens.verify(text, { allowExpired: true })
    return findSession(deps, sid)
  })
}

async function findSession(deps: Deps, id: SessionId): Promise<SessionRow | undefined> {
  return deps.store.db.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirst()
}
