import { type ApiToken, findApiTokensOf } from '../../domain/api-tokens.ts'
import { type AuditEvent, findEventsOf, record } from '../../domain/audit.ts'
import { isFreshlyAuthenticated } from '../../domain/authentication.ts'
import type { Deps } from '../../domain/deps.ts'
import type { LiveSession } from '../../domain/session-cache.ts'
import { findSessionsOf, type Session } from '../../domain/sessions.ts'
import { getUser, loadUser, type User } from '../../domain/users.ts'
import type { Actor } from '../../kernel/actor.ts'
import { AuthError } from '../../kernel/errors.ts'
import type { UserRow } from '../../store/schema.ts'
import { transact } from '../../store/unit-of-work.ts'

/** Everything that is stored about a person, but for secrets and their hashes. */
export interface OwnData {
  readonly user: User
  readonly sessions: readonly Session[]
  readonly apiTokens: readonly ApiToken[]
  readonly events: readonly AuditEvent[]
}

const eventsListed = 100
const eventsExported = 10_000

/** The newest events about the caller. */
export async function listOwnEvents(deps: Deps, _actor: Actor, me: LiveSession): Promise<AuditEvent[]> {
  return findEventsOf(deps.store.db, me.user.id, eventsListed)
}

/** A copy of everything stored about the caller. @throws reauthentication_required */
export async function exportOwnData(deps: Deps, actor: Actor, me: LiveSession): Promise<OwnData> {
  if (!isFreshlyAuthenticated(deps, me.session)) throw new AuthError('reauthentication_required')

  return exportDataOf(deps, actor, await getUser(deps.store.db, me.user.id))
}

/** A copy of everything stored about a person, for whoever may have it. */
export async function exportDataOf(deps: Deps, actor: Actor, row: UserRow): Promise<OwnData> {
  const { db } = deps.store
  const now = deps.clock.now()
  const data = {
    user: await loadUser(db, row),
    sessions: await findSessionsOf(db, deps.config, row.id, now),
    apiTokens: await findApiTokensOf(db, row.id, now),
    events: await findEventsOf(db, row.id, eventsExported),
  }
  await transact(deps, actor, (work) => record(work, 'user.exported', row.id, {}))
  return data
}
