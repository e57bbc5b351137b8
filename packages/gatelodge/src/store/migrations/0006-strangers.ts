import { type Kysely, sql } from 'kysely'

/** Events that strangers cause without an account are kept for a week: clean-up finds them by an index of their own. So are devices found by their cookie. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // The same names, in the same order, as in jobs/clean-up.ts: another list needs another index.
  await sql`
    create index events_strangers on events (at) where user_id is null and actor_id is null and name in (
      'events.counted', 'limit.exceeded', 'password_reset.requested', 'service_client.refused', 'signin.failed', 'signup.requested',
      'verification.requested')
  `.execute(db)
  await db.schema.createIndex('known_devices_device').on('known_devices').column('device_id').execute()
}
