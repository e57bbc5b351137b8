import type { SelectQueryBuilder } from 'kysely'
import type { Schema } from './schema.ts'
import type { Store } from './store.ts'

/** Makes a select within a transaction pass over rows that others work on, and keep its own: PostgreSQL locks rows, SQLite lets one writer in at a time. */
export function skipLocked<Table extends keyof Schema, Row>(
  { engine }: Pick<Store, 'engine'>,
  query: SelectQueryBuilder<Schema, Table, Row>,
): SelectQueryBuilder<Schema, Table, Row> {
  return engine === 'postgres' ? query.forUpdate().skipLocked() : query
}
