import { type AuditEvent, findEventsOf, record } from '../../domain/audit.ts'
import type { Deps } from '../../domain/deps.ts'
import { findSessionsOf, type Session } from '../../domain/sessions.ts'
import { loadUser, type User } from '../../domain/users.ts'
import type { Actor } from '../../kernel/actor.ts'
import { transact } from '../../store/unit-of-work.ts'
import { getRowNamed } from './find-users.ts'

const eventsExported = 10_000

/** Everything stored about a person, but for secrets and their hashes. @throws user_not_found */
export async function exportAccount(
  deps: Deps,
  actor: Actor,
  input: { who: string },
): Promise<{ user: User; sessions: Session[]; events: AuditEvent[] }> {
  const row = await getRowNamed(deps, input.who)
  const user = await loadUser(deps.store.db, row)
  const sessions = await findSessionsOf(deps.store.db, deps.config, row.id, deps.clock.now())
  const events = await findEventsOf(deps.store.db, row.id, eventsExported)

  await transact(deps, actor, (work) => record(work, 'user.exported', row.id, {}))
  return { user, sessions, events }
}
