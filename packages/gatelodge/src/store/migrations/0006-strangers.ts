import { type Kysely, sql } from 'kysely'

/** Events that strangers cause without an account are kept for a week: clean-up finds them by an index of their own. So are devices found by their cookie. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // Word for word the condition in jobs/clean-up.ts: another list needs another index. With the columns apart, SQLite would take `events_user`.
  await sql`
    create index events_strangers on events (at) where coalesce(user_id, actor_id) is null and name in (
      'events.counted', 'limit.exceeded', 'password_reset.requested', 'service_client.refused', 'signin.failed', 'signup.requested',
      'verification.requested')
  `.execute(db)
  await db.schema.createIndex('known_devices_device').on('known_devices').column('device_id').execute()
}
