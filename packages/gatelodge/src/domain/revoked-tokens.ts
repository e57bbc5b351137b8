import { second } from '../kernel/clock.ts'
import type { ReadDb } from '../store/store.ts'
import type { Work } from '../store/unit-of-work.ts'

/** Stores the revocation of an access token until the token would have expired. Returns false if it was already revoked. */
export async function revokeToken(work: Work, { jti, exp }: { jti: string; exp: number }): Promise<boolean> {
  const added = await work.db
    .insertInto('revoked_tokens')
    .values({ jti, expires_at: exp * second })
    .onConflict((conflict) => conflict.doNothing())
    .returning('jti')
    .executeTakeFirst()
  return added !== undefined
}

/** Returns whether an access token has been revoked. */
export async function isTokenRevoked(db: ReadDb, jti: string): Promise<boolean> {
  const row = await db.selectFrom('revoked_tokens').select('jti').where('jti', '=', jti).executeTakeFirst()
  return row !== undefined
}
