import {
  AliasNode,
  ColumnNode,
  type KyselyPlugin,
  type OperationNode,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  type QueryResult,
  ReferenceNode,
  type RootOperationNode,
  TableNode,
  type UnknownRow,
  type UpdateQueryNode,
  ValueNode,
} from 'kysely'
import type { Actor } from '../kernel/actor.ts'
import type { Clock, Instant } from '../kernel/clock.ts'
import type { RecordedEvent } from '../kernel/events.ts'
import type { UserId } from '../kernel/ids.ts'
import type { Random } from '../kernel/random.ts'
import type { Keyring } from '../kernel/sealing.ts'
import type { Strangers } from '../kernel/strangers/strangers.ts'
import type { Invalidations, Notice, Store, WriteDb } from './store.ts'
import { requestWipe } from './wipe-requests.ts'

/** Dependencies of a unit of work. */
export interface UnitDeps {
  readonly store: Store
  readonly invalidations: Invalidations
  /** Wakes mail delivery in this process. */
  readonly wakeMail: () => void
  /** Receives the events that a unit of work recorded, after it has been committed. */
  readonly onEvents: (events: readonly RecordedEvent[]) => void
  readonly clock: Clock
  readonly random: Random
  readonly keyring: Keyring
  readonly strangers: Strangers
}

/** One unit of work: state, audit events and mail requests are stored together or not at all. */
export interface Work {
  readonly db: WriteDb
  /** The same instant for the whole unit. */
  readonly now: Instant
  readonly actor: Actor
  readonly clock: Clock
  readonly random: Random
  readonly keyring: Keyring
  readonly strangers: Strangers
  /**
   * Names the users whose sessions and tokens have to be read again after the commit. Required when the unit updates or deletes rows that the session check
   * reads, with an empty list if no cached row changes; otherwise the unit fails.
   */
  changed(users: readonly UserId[] | 'all'): void
  /** Holds a named lock until the unit ends, so that units with the same name run one after the other. On SQLite all units do. */
  lockName(name: string): Promise<void>
  /**
   * Permits this unit to delete or deactivate accounts and to remove roles; without it such a unit fails. Called by `lockForRemoval`, after it has made sure
   * that an administrator remains.
   */
  allowRemoval(): void
  /** Wakes mail delivery, in this process and in others, after the commit. */
  wakeMail(): void
  /** Declares that accounts were deleted: a few seconds later no file of the database may contain their data. */
  erased(): void
  /** Collects an event that was recorded in this unit. */
  recorded(event: RecordedEvent): void
  /** Runs `effect`, which changes only the memory of this process, after the commit. */
  onCommit(effect: () => void): void
}

const readBySessionCheck = new Set(['users', 'profiles', 'user_roles', 'sessions'])

/** Runs `work` in one transaction and rolls everything back when it throws. Password hashing and network calls stay outside. @throws database_busy */
export async function transact<T>(deps: UnitDeps, actor: Actor, work: (work: Work) => Promise<T>): Promise<T> {
  const touched = new TouchedTables()
  const users = new Set<UserId>()
  let all = false
  let declared = false
  let mayRemove = false
  let mail = false
  let erased = false
  let events: RecordedEvent[] = []
  let effects: (() => void)[] = []

  const result = await deps.store.transaction(async (db) => {
    events = [] // a retry starts with empty lists
    effects = []
    const answer = await work({
      db: db.withPlugin(touched),
      now: deps.clock.now(),
      actor,
      clock: deps.clock,
      random: deps.random,
      keyring: deps.keyring,
      strangers: deps.strangers,
      changed(named) {
        declared = true
        if (named === 'all') all = true
        else for (const user of named) users.add(user)
      },
      lockName: (name) => deps.store.lockName(db, name),
      allowRemoval() {
        mayRemove = true
      },
      wakeMail() {
        mail = true
      },
      erased() {
        erased = true
      },
      recorded(event) {
        events.push(event)
      },
      onCommit(effect) {
        effects.push(effect)
      },
    })
    if (touched.sessionCheckRows && !declared)
      throw new Error('rows of the session check changed without work.changed()')
    if (touched.removesAccess && !mayRemove)
      throw new Error('accounts or roles were removed, or accounts made inactive, without lockForRemoval()')
    if (all || users.size > 0 || mail)
      await deps.store.notify(db, { ...changedUsers(all, users), ...(mail && { mail }) })
    if (erased && deps.store.engine === 'sqlite') await requestWipe(db, deps.clock.now())
    return answer
  })

  const { users: changed } = changedUsers(all, users)
  if (changed) deps.invalidations.announce(changed)
  if (mail) deps.wakeMail()
  for (const effect of effects) effect()
  if (events.length > 0) deps.onEvents(events)
  return result
}

function changedUsers(all: boolean, users: ReadonlySet<UserId>): Pick<Notice, 'users'> {
  if (all) return { users: 'all' }
  return users.size > 0 ? { users: [...users] } : {}
}

class TouchedTables implements KyselyPlugin {
  sessionCheckRows = false
  removesAccess = false

  transformQuery({ node }: PluginTransformQueryArgs): RootOperationNode {
    if (node.kind === 'UpdateQueryNode') this.#touch(node.table, setsInactive(node) ? ['users'] : [])
    if (node.kind === 'DeleteQueryNode') for (const table of node.from.froms) this.#touch(table, ['users'])
    return node
  }

  async transformResult({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    return result
  }

  #touch(table: OperationNode | undefined, removing: readonly string[]): void {
    const name = nameOf(table)
    if (name === undefined) return

    if (readBySessionCheck.has(name)) this.sessionCheckRows = true
    if (name === 'user_roles' || removing.includes(name)) this.removesAccess = true
  }
}

/** Returns whether an update may deactivate accounts. Setting the column to itself only locks the row. */
function setsInactive({ updates = [] }: UpdateQueryNode): boolean {
  return updates.some(
    ({ column, value }) =>
      columnOf(column) === 'is_active' && !ReferenceNode.is(value) && !(ValueNode.is(value) && value.value === 1),
  )
}

function columnOf(node: OperationNode): string | undefined {
  if (ReferenceNode.is(node)) return columnOf(node.column)
  return ColumnNode.is(node) ? node.column.name : undefined
}

function nameOf(table: OperationNode | undefined): string | undefined {
  if (table === undefined) return undefined
  if (AliasNode.is(table)) return nameOf(table.node)
  return TableNode.is(table) ? table.table.identifier.name : undefined
}
