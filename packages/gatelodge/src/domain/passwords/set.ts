import type { UserId } from '../../kernel/ids.ts'
import type { Work } from '../../store/unit-of-work.ts'

/** Sets an account's password hash; the count of failures starts anew. */
export async function setPasswordHash(work: Work, userId: UserId, hash: string): Promise<void> {
  await work.db
    .updateTable('users')
    .set({ password_hash: hash, password_changed_at: work.now, password_failures: 0 })
    .where('id', '=', userId)
    .execute()
  work.changed([userId])
}
