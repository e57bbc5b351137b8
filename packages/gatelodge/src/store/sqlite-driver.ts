import type { DatabaseSync, StatementSync } from 'node:sqlite'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { isAuthError } from '../kernel/errors.ts'
import { toStoreError } from './sqlite-errors.ts'

const retryFor = 5_000
const cachedStatements = 500

/** Creates a Kysely dialect for one `node:sqlite` connection to `file`. Transactions run in the order of their requests and begin in immediate mode. */
export function sqliteDialect(connection: DatabaseSync, file: string): Dialect {
  return {
    createDriver: () => new SqliteDriver(connection, file),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new TransactionalSqliteAdapter(),
    createIntrospector: (db: Kysely<unknown>): DatabaseIntrospector => new SqliteIntrospector(db),
  }
}

class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

class SqliteDriver implements Driver {
  readonly #connection: SqliteConnection
  #turn: Promise<void> = Promise.resolve()
  #release: () => void = () => {}

  constructor(connection: DatabaseSync, file: string) {
    this.#connection = new SqliteConnection(connection, file)
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const before = this.#turn
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#turn = promise
    await before
    this.#release = resolve
    return this.#connection
  }

  async beginTransaction(): Promise<void> {
    // A deferred transaction would fail after another process has written, and a blocking busy timeout would freeze the event loop.
    const giveUpAt = performance.now() + retryFor
    for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
      try {
        this.#connection.run('begin immediate')
        return
      } catch (error) {
        if (!isAuthError(error, 'database_busy') || performance.now() > giveUpAt) throw error
      }
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }

  async commitTransaction(): Promise<void> {
    this.#connection.run('commit')
  }

  async rollbackTransaction(): Promise<void> {
    if (this.#connection.inTransaction) this.#connection.run('rollback') // SQLite rolls back on its own when the disk is full
  }

  async releaseConnection(): Promise<void> {
    this.#release()
  }

  async destroy(): Promise<void> {
    await this.#turn
    this.#connection.close()
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #db: DatabaseSync
  readonly #file: string
  readonly #statements = new Map<string, { statement: StatementSync; answersRows: boolean }>()

  constructor(db: DatabaseSync, file: string) {
    this.#db = db
    this.#file = file
  }

  get inTransaction(): boolean {
    return this.#db.isTransaction
  }

  run(sql: string): void {
    try {
      this.#prepare(sql).statement.run()
    } catch (error) {
      throw toStoreError(error, this.#file)
    }
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    try {
      const { statement, answersRows } = this.#prepare(query.sql)
      const parameters = query.parameters as (string | number | null)[]
      if (answersRows) return { rows: statement.all(...parameters) as R[] }

      const { changes, lastInsertRowid } = statement.run(...parameters)
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
    } catch (error) {
      throw toStoreError(error, this.#file, insertedTable(query))
    }
  }

  /** Not supported: an open statement would pin its snapshot and hide revocations. */
  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('streaming is not supported; page through the rows')
  }

  close(): void {
    this.#statements.clear()
    this.#db.close()
  }

  #prepare(sql: string): { statement: StatementSync; answersRows: boolean } {
    const known = this.#statements.get(sql)
    if (known) return known

    if (this.#statements.size >= cachedStatements) this.#statements.clear()
    const statement = this.#db.prepare(sql)
    const made = { statement, answersRows: statement.columns().length > 0 }
    this.#statements.set(sql, made)
    return made
  }
}

function insertedTable({ query }: CompiledQuery): string | undefined {
  return query.kind === 'InsertQueryNode' ? query.into?.table.identifier.name : undefined
}
