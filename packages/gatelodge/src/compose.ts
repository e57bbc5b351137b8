import { availableParallelism } from 'node:os'
import type { Config } from './config.ts'
import { createAccessTokens } from './domain/access-tokens.ts'
import type { Accounts } from './domain/accounts.ts'
import { createApiTokens } from './domain/api-tokens.ts'
import { createAvatarRenderer } from './domain/avatars/render.ts'
import { openAvatarStorage } from './domain/avatars/storage.ts'
import { cached } from './domain/cached.ts'
import type { Deps } from './domain/deps.ts'
import { createLimitsInFlight } from './domain/limits.ts'
import { ownAccounts } from './domain/own-accounts.ts'
import { createHasher, type Hasher } from './domain/passwords/hasher.ts'
import { readServiceClients } from './domain/service-clients.ts'
import { createSessionCache } from './domain/session-cache.ts'
import { keepSigningKeys, prepareSigningKeys, rotateSigningKeyByAge } from './domain/signing-keys.ts'
import { createUntrustedPeers } from './domain/untrusted-peers.ts'
import { createApp, type Fetch } from './http/app.ts'
import type { Metrics } from './http/metrics.ts'
import { cleanUp } from './jobs/clean-up.ts'
import { storeCountedEvents, tellOfCeiling } from './jobs/counted-events.ts'
import { createMailDelivery } from './jobs/deliver-mail.ts'
import { createErasure } from './jobs/erasure.ts'
import { storeLastSeen } from './jobs/last-seen.ts'
import { repeatOnce } from './jobs/once.ts'
import { repeat } from './jobs/repeat.ts'
import { mailboxTransport, smtpTransport } from './jobs/transports.ts'
import { recordUntrustedPeer } from './jobs/untrusted-peers.ts'
import { systemActor } from './kernel/actor.ts'
import { type Clock, minute, second, systemClock } from './kernel/clock.ts'
import type { RecordedEvent } from './kernel/events.ts'
import type { Log } from './kernel/log.ts'
import { type Random, systemRandom } from './kernel/random.ts'
import { createKeyring } from './kernel/sealing.ts'
import { createStrangers } from './kernel/strangers/strangers.ts'
import { problemPage } from './pages/problem-page.ts'
import { loadTheme } from './pages/theme.ts'
import { servedRoutes } from './routes.ts'
import { migrateUp } from './store/migrate.ts'
import { openSqlite } from './store/sqlite.ts'
import { findSqliteObstacle } from './store/sqlite-places.ts'
import { createInvalidations, type Store } from './store/store.ts'
import { assertMayWork } from './store/write-proof.ts'

export interface ComposeOptions {
  readonly config: Config
  /** The secret from which all encryption keys are derived. */
  readonly secret: string
  readonly log: Log
  readonly clock?: Clock
  readonly random?: Random
  /** Where accounts live; in our own tables unless given. */
  readonly accounts?: Accounts
  /** Used instead of what `config` asks for, and closed with the rest. */
  readonly hasher?: Hasher
  readonly store?: Store
  /** Set for a command next to a server. Only the server decides on the algorithm of the signing keys. */
  readonly isCommand?: boolean
  /** Called for each mail that arrives in the development mailbox. */
  readonly announceMail?: (line: string) => void
}

/** The whole program, assembled: operations use `deps`, hosts call `fetch`. */
export interface Composition {
  readonly deps: Deps
  readonly fetch: Fetch
  /** The metrics, or null if `metricsListen` is not set. */
  readonly metrics: Metrics | null
  /** Delivers the mails that are due and returns how many were claimed. */
  readonly deliverMail: () => Promise<number>
  /** Starts to listen for notices of other processes, and starts mail delivery, clean-up and the other jobs. */
  startJobs(): void
  /** Reports the server as not ready, so that load balancers use another one. */
  drain(): void
  /** Stops the jobs, finishes hashes and mails in progress, and closes the database. */
  close(): Promise<void>
}

/**
 * Opens and migrates the database and assembles the program.
 * @throws config_invalid if the secret does not decrypt the keys in the database; service_unavailable
 */
export async function compose(options: ComposeOptions): Promise<Composition> {
  const { config, log, clock = systemClock, random = systemRandom } = options
  const store = options.store ?? (await openStore(config))
  try {
    await migrateUp(store)
    await assertMayWork(store)
    if (!options.isCommand) tellOfObstacle(config, log)
    return await wire(options, store, clock, random, log)
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Opens the configured database, which may be empty or have an older schema. */
export async function openStore({
  database,
  databaseDirect = null,
}: Pick<Config, 'database'> & Partial<Pick<Config, 'databaseDirect'>>): Promise<Store> {
  if (database.kind === 'sqlite') return openSqlite(database.path)

  const { openPostgres } = await import('./store/postgres.ts') // its driver costs startup time and memory that SQLite need not pay
  return openPostgres({ url: database.url, direct: databaseDirect })
}

/** A server on a read-only file serves what it can and is not ready. Its log states the reason before the first request fails. */
function tellOfObstacle({ database }: Config, log: Log): void {
  if (database.kind === 'postgres' || database.path === ':memory:') return

  const obstacle = findSqliteObstacle(database.path)
  if (obstacle) log.error({}, `the database cannot be written: ${obstacle.says}. What to do: ${obstacle.advice}`)
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
  const metrics = config.metricsListen ? (await import('./http/metrics.ts')).createMetrics() : null // loaded only if needed, since it takes memory
  const erasure = createErasure({ store, clock, log, isCommand: options.isCommand ?? false })
  const unit = {
    store,
    invalidations,
    wakeMail: () => delivery.wake(),
    onEvents(events: readonly RecordedEvent[]) {
      metrics?.recorded(events)
      erasure.recorded(events)
    },
    clock,
    random,
    keyring,
    strangers: createStrangers(clock, config.rateLimits),
  }
  const signingKeys = keepSigningKeys(unit)
  const [newestKey] = await signingKeys.get()
  if (!newestKey || !options.isCommand) await prepareSigningKeys(unit, systemActor('job', 'start'), config, signingKeys)
  const mailbox = mailboxTransport({ clock, announce: options.announceMail ?? (() => {}) })
  const settings = {
    issuer: config.publicUrl,
    audience: config.tokenAudience ?? config.publicUrl,
    ttl: config.accessTokenTtl,
  }
  const threads = Math.max(1, Math.floor(availableParallelism() / config.workers))
  const hasher = options.hasher ?? createHasher({ parameters: config.passwordHash, threads })
  const stopping = new AbortController()
  const deps: Deps = {
    ...unit,
    config,
    hasher,
    log,
    accounts: options.accounts ?? ownAccounts,
    stopping: stopping.signal,
    mailbox: config.smtp ? null : mailbox,
    accessTokens: createAccessTokens(signingKeys, settings, clock, random),
    apiTokens: createApiTokens({ store, clock }),
    serviceClients: cached(unit, () => readServiceClients(store.db)),
    sessionCache: createSessionCache({ store, invalidations, clock, life: config }),
    limitsInFlight: createLimitsInFlight(),
    untrustedPeers: createUntrustedPeers({ clock, log }),
    avatarRenderer: createAvatarRenderer(),
    avatarStorage: await openAvatarStorage(config),
    theme: loadTheme(config),
  }
  metrics?.watch(deps)
  const delivery = createMailDelivery({
    deps,
    transport: config.smtp ? smtpTransport(config.smtp, config.smtpName) : mailbox,
  })
  const jobs = [
    repeatOnce(deps, 'clean-up', 10 * minute, (stopping) => cleanUp(deps, stopping)),
    repeatOnce(deps, 'signing-keys', 10 * minute, () =>
      rotateSigningKeyByAge(unit, systemActor('job', 'signing-keys'), config),
    ),
    repeat(log, 'counted-events', 5 * second, () => storeCountedEvents(deps)),
    repeat(log, 'ceiling', minute, tellOfCeiling(deps)),
    repeat(log, 'erasure', 5 * second, () => erasure.runDue()),
    repeat(log, 'last-seen', 5 * second, () => storeLastSeen(deps)),
    repeat(log, 'untrusted-peers', 5 * second, () => recordUntrustedPeer(deps)),
  ]

  store.onNotice(({ users, mail }) => {
    if (users) invalidations.announce(users)
    if (mail) delivery.wake()
  })

  return {
    deps,
    fetch: createApp(deps, servedRoutes(deps.accounts), problemPage, metrics),
    metrics,
    deliverMail: () => delivery.runDue(),
    startJobs() {
      store.listen(log)
      delivery.start()
      for (const job of jobs) job.start()
    },
    drain: () => stopping.abort(),
    async close() {
      await delivery.stop()
      for (const job of jobs) await job.stop()
      // If the database is unavailable, the last uses and counts of the last minute are lost.
      await storeLastSeen(deps).catch(() => {})
      await storeCountedEvents(deps, { all: true }).catch(() => {})
      await erasure.finish()
      await hasher.close()
      await deps.avatarRenderer.close()
      await store.close()
    },
  }
}
