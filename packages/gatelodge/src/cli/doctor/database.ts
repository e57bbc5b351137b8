import { existsSync } from 'node:fs'
import { type Config, settings } from '../../config.ts'
import { day, minute, second, systemClock, toIso } from '../../kernel/clock.ts'
import { AuthError } from '../../kernel/errors.ts'
import type { Events } from '../../kernel/events.ts'
import { systemRandom } from '../../kernel/random.ts'
import { createKeyring } from '../../kernel/sealing.ts'
import { findSecret, secretFile } from '../../secret.ts'
import { explainSqlite } from '../../store/sqlite-places.ts'
import type { Store } from '../../store/store.ts'
import { whyOf } from '../text.ts'
import type { Finding } from './finding.ts'
import { checkWrites, findUnusablePlace } from './writes.ts'

/** How much the clocks of two machines may differ, in ms. */
const clockTolerance = 3 * second

/** Whether the database opens, takes writes, its schema is current, the secret opens its keys, its newest row is not of the future, its clock agrees with the clock of this machine, and who sent forwarding headers. */
export async function checkDatabase(config: Config): Promise<Finding[]> {
  const { database } = config
  const unusable = findUnusablePlace(config)
  if (unusable) return [unusable] // opening it would create SQLite files that are read-only too

  if (database.kind === 'sqlite' && !existsSync(database.path)) {
    return [{ check: 'database', status: 'ok', says: 'is created at the first start' }]
  }

  const { openStore } = await import('../../compose.ts')
  let store: Store | undefined
  try {
    store = await openStore(config)
    return await checkOpen(config, store)
  } catch (error) {
    const obstacle = database.kind === 'sqlite' ? explainSqlite(database.path, error) : undefined
    const advice = 'check that GATELODGE_DATABASE names the right database and that it is reachable and readable'
    const { says, advice: toDo } = obstacle ?? { says: whyOf(error), advice }
    return [{ check: 'database', status: 'fail', says: `cannot be opened: ${says}`, advice: toDo }]
  } finally {
    await store?.close()
  }
}

async function checkOpen(config: Config, store: Store): Promise<Finding[]> {
  const { migrationStatus } = await import('../../store/migrate.ts')
  const missing = (await migrationStatus(store)).filter(({ appliedAt }) => appliedAt === null)
  if (missing.length > 0) {
    const { findMisfit } = await import('../../store/postgres-fits.ts')
    const misfit = await findMisfit(store, true)
    const says = `can be opened, but migrations are pending (${missing.length})`
    if (misfit) return [{ check: 'database', status: 'fail', says: `${says}. ${misfit.says}`, advice: misfit.advice }]
    return [{ check: 'database', status: 'warn', says, advice: 'run "gatelodge migrate up", or start the server' }]
  }

  return [
    await checkWrites(config, store),
    await checkKeys(config, store),
    await checkClock(store),
    ...(await checkServerClock(store)),
    await checkOutbox(store),
    await checkPeers(store),
  ]
}

async function checkKeys(config: Config, store: Store): Promise<Finding> {
  const check = 'secret'
  const { readSigningKeys } = await import('../../domain/signing-keys.ts')
  try {
    const secret = findSecret(config)
    if (secret === undefined) {
      const used = await store.db.selectFrom('signing_keys').select('kid').limit(1).executeTakeFirst()
      if (!used) return { check, status: 'ok', says: 'is created at the first start' }
      const says = `${secretFile(config)} is missing, but the database was created with a secret`
      return { check, status: 'fail', says, advice: 'restore the file from the backup, or set GATELODGE_SECRET' }
    }
    const keys = await readSigningKeys({ store, keyring: createKeyring(secret, systemRandom) })
    return { check, status: 'ok', says: `decrypts the signing keys (${keys.length})` }
  } catch (error) {
    if (!(error instanceof AuthError)) throw error

    if (error.faults.length === 0) return { check, status: 'fail', says: whyOf(error) }
    const says = error.faults.map(({ field, message }) => `${field} ${message}`).join('; ')
    return { check, status: 'fail', says, advice: 'use the secret that the database was created with' }
  }
}

async function checkClock(store: Store): Promise<Finding> {
  const now = systemClock.now()
  const newest = await store.db
    .selectFrom('events')
    .select((eb) => eb.fn.max('at').as('at'))
    .executeTakeFirst()
  const ahead = Number(newest?.at ?? 0) - now
  if (ahead < minute) return { check: 'clock', status: 'ok', says: `reads ${toIso(now)}` }

  const says = `reads ${toIso(now)}, but the newest event is dated ${toIso(now + ahead)}: the clock was set back`
  return {
    check: 'clock',
    status: 'fail',
    says,
    advice: 'synchronize the clock with NTP; tokens and links expire by it',
  }
}

/** Rows are stamped by our clock. If the database server's clock differs, the clocks of other Gatelodge servers may differ too. */
async function checkServerClock({ engine, migrationDb }: Store): Promise<Finding[]> {
  if (engine === 'sqlite') return []

  const check = 'database clock'
  const { sql } = await import('kysely')
  const asked = systemClock.now()
  const answer = await sql<{ ms: string }>`select extract(epoch from clock_timestamp()) * 1000 as ms`.execute(
    migrationDb,
  )
  const answered = systemClock.now()
  const ahead = Number(answer.rows[0]?.ms) - (asked + answered) / 2
  const seconds = Math.round(Math.abs(ahead) / second)
  if (Math.abs(ahead) <= clockTolerance + (answered - asked) / 2)
    return [{ check, status: 'ok', says: 'agrees with the clock of this machine' }]

  const says = `is ${seconds} seconds ${ahead > 0 ? 'ahead of' : 'behind'} the clock of this machine`
  return [
    {
      check,
      status: 'warn',
      says,
      advice: 'synchronize the clocks of all machines with NTP; tokens and links expire by them',
    },
  ]
}

/** Each server records the first untrusted peer of each day. */
async function checkPeers({ db }: Store): Promise<Finding> {
  const check = 'forwarding headers'
  const newest = await db
    .selectFrom('events')
    .select(['at', 'data'])
    .where('name', '=', 'proxy.untrusted')
    .where('at', '>', systemClock.now() - 2 * day)
    .orderBy('at', 'desc')
    .executeTakeFirst()
  if (!newest) return { check, status: 'ok', says: 'no untrusted peer sent one in the last two days' }

  const { peer } = JSON.parse(newest.data) as Events['proxy.untrusted'] // what `record` wrote
  const says = `${peer} sent one at ${toIso(newest.at)} but is not a trusted proxy, so all clients behind it counted as one address`
  const advice = `if this is your proxy, set ${settings.trustedProxies.env} to its address; otherwise a client tried to forge an address, and no action is needed`
  return { check, status: 'warn', says, advice }
}

async function checkOutbox(store: Store): Promise<Finding> {
  const { mailBacklog } = await import('../../domain/outbox.ts')
  const { waiting, failed, oldestDue } = await mailBacklog(store.db, systemClock.now())
  const says = `${waiting} pending mails, ${failed} failed`
  if (oldestDue < 5 * minute && failed === 0) return { check: 'outbox', status: 'ok', says }

  return {
    check: 'outbox',
    status: 'warn',
    says,
    advice: 'check "gatelodge mail list" and whether the server is running',
  }
}
