import {
  type CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type Driver,
  type Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely'
import type pg from 'pg'
import { minute, second } from '../kernel/clock.ts'
import { AuthError } from '../kernel/errors.ts'
import { within } from '../kernel/within.ts'
import { connectFailure, endsConnection, noAnswer, statementFailure } from './postgres-errors.ts'

/** Timeouts of statements and locks, in ms. */
export interface Timeouts {
  readonly statementTimeout: number
  readonly lockTimeout: number
}

/** How much longer than the server's own timeout we wait, so that its error arrives first, in ms. */
const grace = 5 * second
/** A process that hangs must not keep its row locks, in ms. */
const idleInTransaction = minute

/**
 * Creates a Kysely dialect for a pool that may itself connect to a pooler: it uses no session state and no named statements. This is the only place where
 * database failures become an AuthError. With `timeouts` null there is no time limit, for work on whole tables.
 */
export function postgresDialect(pool: pg.Pool, timeouts: Timeouts | null): Dialect {
  return {
    createDriver: () => new PostgresDriver(pool, timeouts),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createAdapter: () => new PostgresAdapter(),
    createIntrospector: (db: Kysely<unknown>): DatabaseIntrospector => new PostgresIntrospector(db),
  }
}

class PostgresDriver implements Driver {
  readonly #pool: pg.Pool
  readonly #timeouts: Timeouts | null
  readonly #begin: string

  constructor(pool: pg.Pool, timeouts: Timeouts | null) {
    this.#pool = pool
    this.#timeouts = timeouts
    // One message of the simple query protocol saves round trips. The settings apply to this transaction only, since the next may use another connection.
    this.#begin = [
      'begin isolation level read committed', // our locks and conditional updates rely on it, whatever the role's default is
      `set local statement_timeout = ${timeouts?.statementTimeout ?? 0}`,
      `set local lock_timeout = ${timeouts?.lockTimeout ?? 0}`,
      `set local idle_in_transaction_session_timeout = ${timeouts ? idleInTransaction : 0}`,
    ].join('; ')
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PostgresConnection> {
    try {
      return new PostgresConnection(await this.#pool.connect(), this.#timeouts)
    } catch (error) {
      throw connectFailure(error)
    }
  }

  async beginTransaction(connection: PostgresConnection): Promise<void> {
    await connection.begin(this.#begin)
  }

  async commitTransaction(connection: PostgresConnection): Promise<void> {
    // Without a response the outcome of the commit is unknown: that is an error, and must not be retried.
    if ((await connection.ask('commit')).command === 'COMMIT') return
    throw new Error('the transaction was rolled back because one of its statements had failed')
  }

  async rollbackTransaction(connection: PostgresConnection): Promise<void> {
    await connection.rollback()
  }

  async releaseConnection(connection: PostgresConnection): Promise<void> {
    connection.release()
  }

  async destroy(): Promise<void> {} // the pool is closed by its creator
}

class PostgresConnection implements DatabaseConnection {
  readonly #client: pg.PoolClient
  readonly #timeouts: Timeouts | null
  #inTransaction = false
  #isLost = false
  readonly #lose = () => {
    this.#isLost = true
  }

  constructor(client: pg.PoolClient, timeouts: Timeouts | null) {
    this.#client = client
    this.#timeouts = timeouts
    client.once('end', this.#lose)
    client.once('error', this.#lose)
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, rowCount, command } = await this.ask<R & pg.QueryResultRow>(query.sql, query.parameters)
    if (command === 'SELECT' || rowCount === null) return { rows }
    return { rows, numAffectedRows: BigInt(rowCount) }
  }

  /** Not supported: streaming would hold a connection while the consumer does other work. */
  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('streaming is not supported; page through the rows')
  }

  async begin(sql: string): Promise<void> {
    await this.ask(sql)
    this.#inTransaction = true
  }

  async rollback(): Promise<void> {
    if (this.#isLost) return
    await this.ask('rollback').catch(this.#lose) // the caller needs the error that caused the rollback
  }

  /** Runs one statement. @throws service_unavailable, database_busy; the original error if the statement itself is wrong */
  async ask<R extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<pg.QueryResult<R>> {
    try {
      const answer = this.#client.query<R>(text, values && [...values])
      return this.#timeouts === null ? await answer : await within(this.#longest(this.#timeouts), answer, noAnswer)
    } catch (error) {
      const meaning = statementFailure(error, this.#isLost)
      if (error instanceof AuthError || endsConnection(meaning)) this.#lose()
      throw meaning
    }
  }

  /** Outside a transaction the server has no timeout, since that would be session state; only this process enforces it. */
  #longest({ statementTimeout }: Timeouts): number {
    return this.#inTransaction ? statementTimeout + grace : statementTimeout
  }

  release(): void {
    this.#client.off('end', this.#lose)
    this.#client.off('error', this.#lose)
    this.#client.release(this.#isLost)
  }
}
