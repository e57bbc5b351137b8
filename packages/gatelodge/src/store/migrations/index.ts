import type { Migration } from 'kysely/migration'
import * as initial from './0001-initial.ts'
import * as fleet from './0002-fleet.ts'

/** Every step from an empty database to today's schema, in order. A step that was ever released is never edited. */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-initial': initial,
  '0002-fleet': fleet,
}
