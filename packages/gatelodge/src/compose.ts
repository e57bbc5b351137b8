import type { Config } from './config.ts'
import { createAccessTokens } from './domain/access-tokens.ts'
import type { Deps } from './domain/deps.ts'
import { createLimitsInFlight } from './domain/limits.ts'
import { createHasher } from './domain/passwords/hasher.ts'
import { createSessionCache } from './domain/session-cache.ts'
import { loadSigningKeys } from './domain/signing-keys.ts'
import { routes } from './flows/index.ts'
import { createApp, type Fetch } from './http/app.ts'
import { cleanUp } from './jobs/clean-up.ts'
import { createMailDelivery } from './jobs/deliver-mail.ts'
import { storeLastSeen } from './jobs/last-seen.ts'
import { repeat } from './jobs/repeat.ts'
import { mailboxTransport, smtpTransport } from './jobs/transports.ts'
import { type Clock, minute, second, systemClock } from './kernel/clock.ts'
import type { Log } from './kernel/log.ts'
import { type Random, systemRandom } from './kernel/random.ts'
import { createKeyring } from './kernel/sealing.ts'
import { migrateUp } from './store/migrate.ts'
import { openSqlite } from './store/sqlite.ts'
import { createInvalidations, type Store } from './store/store.ts'

export interface ComposeOptions {
  readonly config: Config
  /** Everything sealed is sealed under keys derived from it. */
  readonly secret: string
  readonly log: Log
  readonly clock?: Clock
  readonly random?: Random
  /** Told of each mail that lands in the development mailbox. */
  readonly announceMail?: (line: string) => void
}

/** The whole program, wired: operations reach `deps`, hosts reach `fetch`. */
export interface Composition {
  readonly deps: Deps
  readonly fetch: Fetch
  /** Delivers what is due now and answers how many mails were looked at. */
  readonly deliverMail: () => Promise<number>
  /** Starts delivery, clean-up and the storing of last uses. */
  startJobs(): void
  /** Stops the jobs, lets hashes and mails under way finish, closes the database. */
  close(): Promise<void>
}

/** Opens and migrates the database and wires the program. @throws config_invalid for a secret that does not open the database's keys, service_unavailable */
export async function compose(options: ComposeOptions): Promise<Composition> {
  const { config, log, clock = systemClock, random = systemRandom } = options
  const store = await openStore(config)
  try {
    await migrateUp(store)
    return await wire(options, store, clock, random, log)
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Opens the configured database, which may be empty or of an older version. */
export async function openStore({ database }: Pick<Config, 'database'>): Promise<Store> {
  if (database.kind === 'sqlite') return openSqlite(database.path)

  const { openPostgres } = await import('./store/postgres.ts') // its driver costs start time and memory that SQLite need not pay
  return openPostgres(database.url)
}

async function wire(
  options: ComposeOptions,
  store: Store,
  clock: Clock,
  random: Random,
  log: Log,
): Promise<Composition> {
  const { config } = options
  const invalidations = createInvalidations()
  const keyring = createKeyring(options.secret, random)
  const unit = { store, invalidations, wakeMail: () => delivery.wake(), clock, random, keyring }
  const keys = await loadSigningKeys(unit)
  const mailbox = mailboxTransport({ clock, announce: options.announceMail ?? (() => {}) })
  const settings = {
    issuer: config.publicUrl,
    audience: config.tokenAudience ?? config.publicUrl,
    ttl: config.accessTokenTtl,
  }
  const hasher = createHasher({ parameters: config.passwordHash })
  const deps: Deps = {
    ...unit,
    config,
    hasher,
    log,
    mailbox: config.smtp ? null : mailbox,
    accessTokens: createAccessTokens(keys, settings, clock, random),
    sessionCache: createSessionCache({ store, invalidations, clock, life: config }),
    limitsInFlight: createLimitsInFlight(),
  }
  const delivery = createMailDelivery({ deps, transport: config.smtp ? smtpTransport(config.smtp) : mailbox })
  const jobs = [
    repeat(log, 'clean-up', 10 * minute, () => cleanUp(deps)),
    repeat(log, 'last-seen', 5 * second, () => storeLastSeen(deps)),
  ]

  return {
    deps,
    fetch: createApp(deps, routes),
    deliverMail: () => delivery.runDue(),
    startJobs() {
      delivery.start()
      for (const job of jobs) job.start()
    },
    async close() {
      await delivery.stop()
      for (const job of jobs) await job.stop()
      await storeLastSeen(deps)
      await hasher.close()
      await store.close()
    },
  }
}
