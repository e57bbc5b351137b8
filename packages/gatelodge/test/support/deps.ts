import { readConfig } from '../../src/config.ts'
import { createAccessTokens } from '../../src/domain/access-tokens.ts'
import { createApiTokens } from '../../src/domain/api-tokens.ts'
import { createAvatarRenderer } from '../../src/domain/avatars/render.ts'
import { openAvatarStorage } from '../../src/domain/avatars/storage.ts'
import { cached } from '../../src/domain/cached.ts'
import type { Deps } from '../../src/domain/deps.ts'
import { createLimitsInFlight } from '../../src/domain/limits.ts'
import { ownAccounts } from '../../src/domain/own-accounts.ts'
import { readServiceClients } from '../../src/domain/service-clients.ts'
import { createSessionCache } from '../../src/domain/session-cache.ts'
import { keepSigningKeys, prepareSigningKeys } from '../../src/domain/signing-keys.ts'
import { createUntrustedPeers } from '../../src/domain/untrusted-peers.ts'
import { systemActor } from '../../src/kernel/actor.ts'
import type { Clock, Instant } from '../../src/kernel/clock.ts'
import type { Log, LogFields } from '../../src/kernel/log.ts'
import { systemRandom } from '../../src/kernel/random.ts'
import { createKeyring } from '../../src/kernel/sealing.ts'
import { createStrangers } from '../../src/kernel/strangers/strangers.ts'
import { loadTheme } from '../../src/pages/theme.ts'
import { migrateUp } from '../../src/store/migrate.ts'
import { openSqlite } from '../../src/store/sqlite.ts'
import { createInvalidations, type Store } from '../../src/store/store.ts'
import type { Engine } from './app.ts'
import { cheapHasher } from './cheap-hasher.ts'
import { freshPostgresDatabase, openTestPostgres } from './postgres.ts'

export const testSecret = 'a secret of the tests, long enough to be one'
/** When every test clock starts: Friday, 20 November 2026, 10:05 UTC. */
export const testStart: Instant = Date.UTC(2026, 10, 20, 10, 5)

/** A clock that moves only when advanced. */
export interface TestClock extends Clock {
  advance(ms: number): void
}

export interface LogLine extends LogFields {
  readonly level: keyof Log
  readonly message: string
}

export interface TestDeps {
  readonly deps: Deps
  readonly store: Store
  readonly clock: TestClock
  /** The log lines, oldest first; none is printed. */
  readonly logged: readonly LogLine[]
  close(): Promise<void>
}

export interface TestDepsOptions {
  readonly engine: Engine
  /** Settings by their environment names, which override those of the tests. */
  readonly env?: Readonly<Record<string, string>>
  /** A SQLite file instead of a private temporary one. */
  readonly databaseFile?: string
  readonly deps?: Partial<Deps>
}

/** Creates real dependencies over a fresh, migrated database, with a cheap password hash and a test clock. */
export async function testDeps(options: TestDepsOptions): Promise<TestDeps> {
  const clock = testClock()
  const random = systemRandom
  const logged: LogLine[] = []
  const { config } = readConfig({
    env: { GATELODGE_SECRET: testSecret, ...options.env },
    flags: {},
    readFile() {
      throw new Error('the tests read no setting from a file')
    },
  })

  const postgres = options.engine === 'postgres' ? await freshPostgresDatabase() : null
  const store = postgres ? openTestPostgres(postgres.url) : openSqlite(options.databaseFile ?? ':memory:')
  await migrateUp(store)
  const unit = {
    store,
    clock,
    random,
    invalidations: createInvalidations(),
    wakeMail() {},
    onEvents() {},
    keyring: createKeyring(testSecret, random),
    strangers: createStrangers(clock, config.rateLimits),
    ...options.deps,
  }
  const issuer = config.publicUrl
  const token = { issuer, audience: config.tokenAudience ?? issuer, ttl: config.accessTokenTtl }
  const signingKeys = keepSigningKeys(unit)
  await prepareSigningKeys(unit, systemActor('job', 'start'), config, signingKeys)
  const hasher = cheapHasher()

  const deps: Deps = {
    config,
    hasher,
    accounts: ownAccounts,
    mailbox: null,
    stopping: new AbortController().signal,
    log: recordingLog(logged),
    accessTokens: createAccessTokens(signingKeys, token, clock, random),
    apiTokens: createApiTokens(unit),
    serviceClients: cached(unit, () => readServiceClients(unit.store.db)),
    sessionCache: createSessionCache({ ...unit, life: config }),
    limitsInFlight: createLimitsInFlight(),
    untrustedPeers: createUntrustedPeers({ clock, log: recordingLog(logged) }),
    avatarRenderer: createAvatarRenderer(),
    avatarStorage: await openAvatarStorage(config),
    theme: loadTheme(config),
    ...unit,
  }
  return {
    deps,
    store,
    clock,
    logged,
    async close() {
      await hasher.close()
      await deps.avatarRenderer.close()
      await store.close()
      await postgres?.release()
    },
  }
}

/** Creates a clock that stands still until it is advanced. */
export function testClock(start: Instant = testStart): TestClock {
  let now = start
  return {
    now: () => now,
    advance(ms) {
      now += ms
    },
  }
}

/** Creates a log that collects lines instead of printing them. */
export function recordingLog(lines: LogLine[]): Log {
  const at = (level: keyof Log) => (fields: LogFields, message: string) => {
    lines.push({ ...fields, level, message })
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
