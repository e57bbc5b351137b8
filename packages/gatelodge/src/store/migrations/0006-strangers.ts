import { type Kysely, sql } from 'kysely'

/** Adds a partial index, by which clean-up finds events caused without an account (kept for a week), and an index that finds devices by their cookie. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // Must equal the condition in jobs/clean-up.ts exactly: another list needs another index. With separate column conditions SQLite would choose
  // `events_user`.
  await sql`
    create index events_strangers on events (at) where coalesce(user_id, actor_id) is null and name in (
      'events.counted', 'limit.exceeded', 'password_reset.requested', 'service_client.refused', 'signin.failed', 'signup.requested',
      'verification.requested')
  `.execute(db)
  await db.schema.createIndex('known_devices_device').on('known_devices').column('device_id').execute()
}
