import type { Deps } from '../domain/deps.ts'
import { innerActor } from '../kernel/actor.ts'
import { transact } from '../store/unit-of-work.ts'

/** Stores the last uses that session checks noted, all in one transaction, off the requests' path. */
export async function storeLastSeen(deps: Deps): Promise<void> {
  const touches = deps.sessionCache.takeTouches()
  if (touches.size === 0) return

  await transact(deps, innerActor('job', 'last-seen'), async (work) => {
    for (const [id, at] of touches) {
      const owner = await work.db
        .updateTable('sessions')
        .set({ last_seen_at: at })
        .where('id', '=', id)
        .where('last_seen_at', '<', at)
        .returning('user_id')
        .executeTakeFirst()
      work.changed(owner ? [owner.user_id] : [])
    }
  })
}
