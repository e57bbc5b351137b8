import { existsSync } from 'node:fs'
import type { Config } from '../../config.ts'
import { minute, systemClock, toIso } from '../../kernel/clock.ts'
import { AuthError } from '../../kernel/errors.ts'
import { systemRandom } from '../../kernel/random.ts'
import { createKeyring } from '../../kernel/sealing.ts'
import { findSecret, secretFile } from '../../secret.ts'
import type { Store } from '../../store/store.ts'
import type { Finding } from './finding.ts'

/** Whether the database opens, its schema is current, the secret opens its keys, and its newest row is not of the future. */
export async function checkDatabase(config: Config): Promise<Finding[]> {
  const { database } = config
  if (database.kind === 'sqlite' && !existsSync(database.path)) {
    return [{ check: 'database', status: 'ok', says: 'is made at the first start' }]
  }

  const { openStore } = await import('../../compose.ts')
  let store: Store | undefined
  try {
    store = await openStore(config)
    return await checkOpen(config, store)
  } catch (error) {
    return [
      {
        check: 'database',
        status: 'fail',
        says: `does not open: ${error instanceof Error ? error.message : 'no reason given'}`,
        advice: 'see that GATELODGE_DATABASE names the right database and that it can be reached and read',
      },
    ]
  } finally {
    await store?.close()
  }
}

async function checkOpen(config: Config, store: Store): Promise<Finding[]> {
  const { migrationStatus } = await import('../../store/migrate.ts')
  const missing = (await migrationStatus(store)).filter(({ appliedAt }) => appliedAt === null)
  if (missing.length > 0) {
    const says = `opens; ${missing.length} schema steps are missing`
    return [{ check: 'database', status: 'warn', says, advice: 'run "gatelodge migrate up", or start the server' }]
  }

  const opens: Finding = { check: 'database', status: 'ok', says: `opens (${store.engine}); its schema is current` }
  return [opens, await checkKeys(config, store), await checkClock(store), await checkOutbox(store)]
}

async function checkKeys(config: Config, store: Store): Promise<Finding> {
  const check = 'secret'
  const { readSigningKeys } = await import('../../domain/signing-keys.ts')
  try {
    const secret = findSecret(config)
    if (secret === undefined) {
      const says = `${secretFile(config)} is missing, and the database was made with a secret`
      return { check, status: 'fail', says, advice: 'bring the file back from the backup, or set GATELODGE_SECRET' }
    }
    const keys = await readSigningKeys({ store, keyring: createKeyring(secret, systemRandom) })
    return { check, status: 'ok', says: `opens the signing keys (${keys.length})` }
  } catch (error) {
    if (!(error instanceof AuthError)) throw error

    const says = error.faults.map(({ field, message }) => `${field} ${message}`).join('; ')
    return { check, status: 'fail', says, advice: 'use the secret that the database was made with' }
  }
}

async function checkClock(store: Store): Promise<Finding> {
  const now = systemClock.now()
  const newest = await store.db
    .selectFrom('events')
    .select((eb) => eb.fn.max('at').as('at'))
    .executeTakeFirst()
  const ahead = Number(newest?.at ?? 0) - now
  if (ahead < minute) return { check: 'clock', status: 'ok', says: `says ${toIso(now)}` }

  const says = `says ${toIso(now)}, but the newest event is of ${toIso(now + ahead)}: the clock was set back`
  return { check: 'clock', status: 'fail', says, advice: 'set the clock by NTP; tokens and links live by it' }
}

async function checkOutbox(store: Store): Promise<Finding> {
  const { mailBacklog } = await import('../../domain/outbox.ts')
  const { waiting, failed, oldestDue } = await mailBacklog(store.db, systemClock.now())
  const says = `${waiting} mails wait, ${failed} were given up`
  if (oldestDue < 5 * minute && failed === 0) return { check: 'outbox', status: 'ok', says }

  return { check: 'outbox', status: 'warn', says, advice: 'look at "gatelodge mail list"; is the server running?' }
}
