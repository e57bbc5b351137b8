import type { Kysely, Transaction } from 'kysely'
import type { UserId } from '../kernel/ids.ts'
import type { Log } from '../kernel/log.ts'
import type { Schema } from './schema.ts'

/** Reading outside a unit of work; a transaction serves as well. */
export type ReadDb = Pick<Kysely<Schema>, 'selectFrom'>
/** Reading and writing inside a unit of work. */
export type WriteDb = Transaction<Schema>

/** What processes on one database tell each other; it is heard when the transaction that says it commits. */
export interface Notice {
  /** Whose sessions and tokens must be read anew. */
  readonly users?: readonly UserId[] | 'all'
  /** Mails were requested. */
  readonly mail?: true
}

/** An open database of either engine. */
export interface Store {
  readonly engine: 'sqlite' | 'postgres'
  /** Sees committed rows only. */
  readonly db: ReadDb
  /**
   * Runs `work` in one transaction of its own; commits when it resolves. An unbounded one may take as long as whole tables take.
   * @throws database_busy, and service_unavailable, after which nobody knows whether it was committed
   */
  transaction<T>(work: (db: WriteDb) => Promise<T>, options?: { unbounded?: boolean }): Promise<T>
  /** Proves that rows can be written now, as a sign-in writes them, and leaves nothing. Costs a transaction. @throws service_unavailable, database_busy */
  proveWrite(): Promise<void>
  /**
   * Waits until no other transaction holds `name`, and holds it until `db` ends. Unlike a lock of rows it covers rows that do not exist yet. SQLite, with one
   * writer, has nothing to wait for. @throws database_busy
   */
  lockName(db: WriteDb, name: string): Promise<void>
  /** Says something to the other processes on this database, once `db` commits. On SQLite nobody listens: its one server looks for itself. */
  notify(db: WriteDb, notice: Notice): Promise<void>
  /** Calls `listener` for each notice that comes in, once `listen` was called; users may come back that this process named itself. */
  onNotice(listener: (notice: Notice) => void): void
  /** Starts to hear other processes, until the store closes. Whoever does not listen, asks the database each time. */
  listen(log: Log): void
  /** Whether commits of other processes are seen now, so that memory may answer for the database. */
  seesForeignCommits(): boolean
  /** The connection that migrations run on. */
  readonly migrationDb: Kysely<Schema>
  /** A number that changes when somebody else's commit may have changed rows that no notice names. Cheap enough for each request. */
  foreignVersion(): number
  /** The connections that are open and those of them that are idle, and how much work waits for one; null without a pool. */
  pool(): { readonly open: number; readonly idle: number; readonly waiting: number } | null
  /** Copies the whole database, consistently, while it is in use; `tell` hears how many of its pages are done. */
  backup(file: string, tell?: (pages: number, total: number) => void): Promise<void>
  /**
   * Takes what was deleted out of the log beside the rows, where SQLite leaves it until later writes need the room; false while another process reads it,
   * and it has to be tried again. PostgreSQL does this by itself, when it vacuums.
   */
  truncateLog(): Promise<boolean>
  /**
   * Rewrites the file of SQLite by its live rows, unless it is very large; the log has the new pages until it is truncated. Other writers wait meanwhile.
   * Does nothing on PostgreSQL. @throws database_busy, service_unavailable
   */
  rewrite(): Promise<void>
  close(): Promise<void>
}

/** Tells caches whose users changed, in this process, after the commit. */
export interface Invalidations {
  /** Grows with every announcement. */
  readonly generation: number
  announce(users: readonly UserId[] | 'all'): void
  subscribe(listener: (users: readonly UserId[] | 'all') => void): void
}

/** Announcements within this process. */
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
