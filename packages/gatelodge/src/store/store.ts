import type { Kysely, Transaction } from 'kysely'
import type { UserId } from '../kernel/ids.ts'
import type { Log } from '../kernel/log.ts'
import type { Schema } from './schema.ts'

/** Reads outside a unit of work; a transaction can be used too. */
export type ReadDb = Pick<Kysely<Schema>, 'selectFrom'>
/** Reads and writes inside a unit of work. */
export type WriteDb = Transaction<Schema>

/** A message between processes on the same database. It is delivered when the transaction that sends it commits. */
export interface Notice {
  /** Users whose sessions and tokens have to be read again. */
  readonly users?: readonly UserId[] | 'all'
  /** Set when mails were requested. */
  readonly mail?: true
}

/** An open SQLite or PostgreSQL database. */
export interface Store {
  readonly engine: 'sqlite' | 'postgres'
  /** Sees committed rows only. */
  readonly db: ReadDb
  /**
   * Runs `work` in its own transaction and commits when it resolves. With `unbounded` there is no timeout, for work on whole tables.
   * @throws database_busy; service_unavailable, after which it is unknown whether the transaction was committed
   */
  transaction<T>(work: (db: WriteDb) => Promise<T>, options?: { unbounded?: boolean }): Promise<T>
  /**
   * Proves that rows can currently be written as a sign-in writes them, and leaves nothing behind. Costs a transaction.
   * @throws service_unavailable, database_busy
   */
  proveWrite(): Promise<void>
  /**
   * Waits until no other transaction holds the lock called `name`, and holds it until the transaction `db` ends. Unlike a row lock it covers rows that do not
   * exist yet. Does nothing on SQLite, which has only one writer.
   * @throws database_busy
   */
  lockName(db: WriteDb, name: string): Promise<void>
  /** Sends a notice to the other processes on this database when `db` commits. Does nothing on SQLite, where the only server checks the file itself. */
  notify(db: WriteDb, notice: Notice): Promise<void>
  /** Calls `listener` for each notice received after `listen` was called. Users that this process named itself may be included. */
  onNotice(listener: (notice: Notice) => void): void
  /** Starts to receive notices of other processes, until the store closes. A process that does not listen reads from the database each time. */
  listen(log: Log): void
  /** Returns whether commits of other processes are currently noticed, so that cached rows can be trusted. */
  seesForeignCommits(): boolean
  /** The connection used for migrations. */
  readonly migrationDb: Kysely<Schema>
  /** Returns a number that changes when commits of other processes may have changed rows without a notice. Cheap enough to call on every request. */
  foreignVersion(): number
  /** Returns the number of open and idle connections and of callers that wait for one; null without a pool. */
  pool(): { readonly open: number; readonly idle: number; readonly waiting: number } | null
  /** Writes a consistent copy of the whole database to `file` while it is in use. Calls `tell` with the number of pages done and in total. */
  backup(file: string, tell?: (pages: number, total: number) => void): Promise<void>
  /**
   * Removes deleted data from the SQLite write-ahead log, where it would remain until later writes need the space. Returns false while another process reads
   * the log; the caller then has to retry. PostgreSQL removes it when it vacuums.
   */
  truncateLog(): Promise<boolean>
  /**
   * Rewrites the SQLite file with its live rows only, unless it is very large. The log holds the new pages until it is truncated. Other writers wait
   * meanwhile. Does nothing on PostgreSQL.
   * @throws database_busy, service_unavailable
   */
  rewrite(): Promise<void>
  close(): Promise<void>
}

/** Announces to the caches of this process, after a commit, which users changed. */
export interface Invalidations {
  /** Increases with every announcement. */
  readonly generation: number
  announce(users: readonly UserId[] | 'all'): void
  subscribe(listener: (users: readonly UserId[] | 'all') => void): void
}

/** Creates the channel for announcements within this process. */
export function createInvalidations(): Invalidations {
  const listeners: ((users: readonly UserId[] | 'all') => void)[] = []
  let generation = 0

  return {
    get generation() {
      return generation
    },
    announce(users) {
      generation += 1
      for (const listener of listeners) listener(users)
    },
    subscribe(listener) {
      listeners.push(listener)
    },
  }
}
