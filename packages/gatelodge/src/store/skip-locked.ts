import type { SelectQueryBuilder } from 'kysely'
import type { Schema } from './schema.ts'
import type { Store } from './store.ts'

/**
 * Makes a select in a transaction skip rows that other transactions have locked, and lock the rows that it returns. PostgreSQL locks rows; SQLite needs
 * nothing, since it has one writer at a time.
 */
export function skipLocked<Table extends keyof Schema, Row>(
  { engine }: Pick<Store, 'engine'>,
  query: SelectQueryBuilder<Schema, Table, Row>,
): SelectQueryBuilder<Schema, Table, Row> {
  return engine === 'postgres' ? query.forUpdate().skipLocked() : query
}
