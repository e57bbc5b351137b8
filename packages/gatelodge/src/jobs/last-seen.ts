import { sql } from 'kysely'
import type { Deps } from '../domain/deps.ts'
import type { Touch } from '../domain/session-cache.ts'
import { innerActor } from '../kernel/actor.ts'
import { transact } from '../store/unit-of-work.ts'

/** Sessions of one statement. */
const chunkSize = 100

/** Stores the last uses that session checks and API tokens noted, in chunks, off the requests' path. What a failure left is stored by a later run. */
export async function storeLastSeen(deps: Deps): Promise<void> {
  await storeTokenUses(deps)
  const touches = deps.sessionCache.unstoredTouches()
  for (let at = 0; at < touches.length; at += chunkSize) {
    const chunk = touches.slice(at, at + chunkSize)
    await storeChunk(deps, chunk)
    deps.sessionCache.storedTouches(chunk)
  }
}

function storeChunk(deps: Deps, chunk: readonly Touch[]): Promise<void> {
  const lastUse = sql<number>`case id ${sql.join(
    chunk.map(([id, at]) => sql`when ${id} then cast(${at} as bigint)`),
    sql` `,
  )} end`
  return transact(deps, innerActor('job', 'last-seen'), async (work) => {
    work.changed([]) // memory knows the use already; other processes read again before they call a session idle
    await work.db
      .updateTable('sessions')
      .set({ last_seen_at: lastUse })
      .where(
        'id',
        'in',
        chunk.map(([id]) => id),
      )
      .where('last_seen_at', '<', lastUse)
      .execute()
  })
}

async function storeTokenUses(deps: Deps): Promise<void> {
  const uses = deps.apiTokens.unstoredUses()
  if (uses.length === 0) return

  await transact(deps, innerActor('job', 'last-seen'), async ({ db }) => {
    for (const [id, at] of uses) {
      await db
        .updateTable('api_tokens')
        .set({ last_used_at: at })
        .where('id', '=', id)
        .where((eb) => eb.or([eb('last_used_at', 'is', null), eb('last_used_at', '<', at)]))
        .execute()
    }
  })
  deps.apiTokens.storedUses(uses)
}
