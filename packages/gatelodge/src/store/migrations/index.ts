import type { Kysely } from 'kysely'
import * as initial from './0001-initial.ts'
import * as fleet from './0002-fleet.ts'
import * as avatars from './0003-avatars.ts'
import * as tokens from './0004-tokens.ts'
import * as recovery from './0005-recovery.ts'
import * as strangers from './0006-strangers.ts'
import * as unverified from './0007-unverified.ts'
import * as tickets from './0008-tickets.ts'

/** One step from a schema to the next. It runs in the same transaction as the steps before it. */
export interface Migration {
  up(db: Kysely<unknown>): Promise<void>
}

/** Every step from an empty database to the current schema, in order. A released step is never edited. */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-initial': initial,
  '0002-fleet': fleet,
  '0003-avatars': avatars,
  '0004-tokens': tokens,
  '0005-recovery': recovery,
  '0006-strangers': strangers,
  '0007-unverified': unverified,
  '0008-tickets': tickets,
}
