import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Actor } from '../kernel/actor.ts'
import { day, hour, type Instant, minute, second } from '../kernel/clock.ts'
import { AuthError } from '../kernel/errors.ts'
import type { SpareCounters } from '../kernel/strangers/spare-counters.ts'
import type { Strangers } from '../kernel/strangers/strangers.ts'
import { transact, type Work } from '../store/unit-of-work.ts'
import { record } from './audit.ts'
import type { Deps } from './deps.ts'
import { signInDelay } from './password-limits.ts'

/** Fixed window: at most `max` per `window`, counted from the first use. */
export interface Budget {
  readonly name: string
  readonly max: number
  /** In ms. */
  readonly window: number
}

/** The first `free` failures cost nothing; after each further one the delay doubles. */
export interface GrowingDelay {
  readonly name: string
  readonly free: number
  /** In ms. */
  readonly first: number
  /** In ms. */
  readonly longest: number
  /** How long without a failure until all are forgotten, in ms. */
  readonly memory: number
}

export type Limit = Budget | GrowingDelay

/**
 * Limits by client address, one for each kind of route. `counts` says whether every request or only a failed one uses them up. With `refusals`, the step that
 * rejects a request counts it, and no other request is delayed.
 */
export const addressLimits = {
  none: null,
  signIn: { name: 'signin.address', max: 30, window: minute, counts: 'failures' },
  signUp: { name: 'signup.address', max: 60, window: hour, counts: 'requests' },
  mailRequest: { name: 'mail_request.address', max: 30, window: hour, counts: 'requests' },
  token: { name: 'token.address', max: 60, window: minute, counts: 'failures' },
  client: { name: 'client.address', max: 60, window: minute, counts: 'refusals' },
  password: { name: 'password.address', max: 30, window: minute, counts: 'failures' },
  lookUp: { name: 'look_up.address', max: 120, window: minute, counts: 'requests' },
  upload: { name: 'upload.address', max: 60, window: 10 * minute, counts: 'requests' },
  change: { name: 'change.address', max: 240, window: minute, counts: 'requests' },
} as const satisfies Record<string, (Budget & { counts: 'requests' | 'failures' | 'refusals' }) | null>

export type AddressLimit = keyof typeof addressLimits

/** Limits the emails that unauthenticated visitors can cause to one address. Beyond them the response stays the same and no email is sent. */
export const mailBudgets: readonly Budget[] = [
  { name: 'mail.quarter', max: 3, window: 15 * minute },
  { name: 'mail.day', max: 10, window: day },
]
/** Sends a reset link beyond these budgets to an address that has received none for an hour, so that an attacker cannot use up the owner's way back. */
export const resetReserve: Budget = { name: 'mail.reset_hour', max: 1, window: hour }
/** The budgets of reset links for a known device of the account, which strangers cannot use up. */
export const deviceMailBudgets: readonly Budget[] = [
  { name: 'mail.device_quarter', max: 3, window: 15 * minute },
  { name: 'mail.device_day', max: 10, window: day },
]
/** Limits the password changes by sessions of an account: a thief who has one must not outpace its owner. */
export const passwordChangeBudget: Budget = { name: 'password_change.account', max: 5, window: hour }
/** Tries to replace an initial password, over all tickets of the account. */
export const newPasswordBudget: Budget = { name: 'new_password.account', max: 10, window: hour }
/** Limits the address changes that an account can request, since each sends an email to a stranger. */
export const emailChangeBudget: Budget = { name: 'email_change.account', max: 10, window: hour }
/** At most one notice of a new device a day. */
export const newDeviceBudget: Budget = { name: 'new_device', max: 1, window: day }
/** At most five notices of new API tokens a day: the address of an account that was created without confirmation may belong to someone else. */
export const apiTokenNoticeBudget: Budget = { name: 'api_token_notice', max: 5, window: day }

/** How far the clocks of several machines may differ, in ms. An instant further ahead was written before a clock was set back. */
export const clockSkew = minute

/** The attempts under way in this process, so that a burst cannot outrun its own failures. */
export interface LimitsInFlight {
  readonly attempts: Map<string, number>
}

export function createLimitsInFlight(): LimitsInFlight {
  return { attempts: new Map() }
}

/**
 * Runs an attempt whose failures count against `subject`. `isFailure` decides what counts as a failure; with `resets`, a success resets the count.
 * @throws rate_limited before the attempt, and whatever the attempt throws
 */
export async function attemptWithin<T>(
  deps: Deps,
  actor: Actor,
  use: { limit: Limit; subject: string; isFailure: (error: unknown) => boolean; resets?: boolean },
  attempt: () => Promise<T>,
): Promise<T> {
  if (!deps.config.rateLimits) return attempt()

  const key = counterKey(deps, use.limit, use.subject)
  const counted = await assertWithin(deps, use.limit, key)
  const { attempts } = deps.limitsInFlight
  attempts.set(key, (attempts.get(key) ?? 0) + 1)
  try {
    const result = await attempt()
    if (use.resets && counted) await transact(deps, actor, (work) => forget(work, use.limit, [key]))
    return result
  } catch (error) {
    if (use.isFailure(error)) await transact(deps, actor, (work) => countAndTell(work, use.limit, key))
    throw error
  } finally {
    const left = (attempts.get(key) ?? 1) - 1
    if (left > 0) attempts.set(key, left)
    else attempts.delete(key)
  }
}

/** Uses up one unit of a budget. @throws rate_limited if nothing is left */
export async function consume(deps: Deps, actor: Actor, budget: Budget, subject: string): Promise<void> {
  if (!deps.config.rateLimits) return

  const key = counterKey(deps, budget, subject)
  await assertWithin(deps, budget, key)
  const wait = await transact(deps, actor, (work) => spend(work, budget, key))
  if (wait > 0) throw rateLimited(wait)
}

/**
 * Uses up one unit of each budget in a unit of work. Returns false at the first budget that is exhausted and leaves those after it untouched, so that a burst
 * does not empty the longer one.
 */
export async function spendAll(deps: Deps, work: Work, budgets: readonly Budget[], subject: string): Promise<boolean> {
  if (!deps.config.rateLimits) return true

  for (const budget of budgets) {
    const { count: used } = await count(work, budget, counterKey(deps, budget, subject))
    if (used === budget.max + 1) await tellOf(work, budget)
    if (used > budget.max) return false
  }
  return true
}

/** Adds a failure in a unit of work and returns the new count. */
export async function countFailure(deps: Deps, work: Work, limit: GrowingDelay, subject: string): Promise<number> {
  return (await countAndTell(work, limit, counterKey(deps, limit, subject))).count
}

/** Returns how many failures are remembered. */
export async function failuresOf(deps: Deps, limit: GrowingDelay, subject: string): Promise<number> {
  const row = await deps.store.db
    .selectFrom('limit_counters')
    .select('count')
    .where('key', '=', counterKey(deps, limit, subject))
    .where('expires_at', '>', deps.clock.now())
    .executeTakeFirst()
  return row?.count ?? 0
}

/**
 * Returns whether subjects that stand for the same account, such as its identifiers, are delayed when their failures and attempts under way are added up. Each
 * on its own may be free of delay.
 */
export async function isDelayedTogether(
  deps: Deps,
  limit: GrowingDelay,
  subjects: readonly string[],
): Promise<boolean> {
  const now = deps.clock.now()
  const keys = subjects.map((subject) => counterKey(deps, limit, subject))
  // Read before the rows: an attempt that fails in between may count twice, but is never missed.
  const inFlight = keys.reduce((sum, key) => sum + (deps.limitsInFlight.attempts.get(key) ?? 0), 0)
  const rows = await deps.store.db
    .selectFrom('limit_counters')
    .select(['key', 'count', 'expires_at'])
    .where('key', 'in', keys)
    .where('expires_at', '>', now)
    .execute()
  const counts = keys.flatMap((key) => {
    const row = rows.find((counted) => counted.key === key)
    if (row) return { count: row.count, last: row.expires_at - limit.memory }

    const spare = spareFor(deps.strangers, limit)?.find(key, now, limit.memory)
    return spare ? { count: spare.count, last: spare.since } : []
  })

  const failures = counts.reduce((sum, { count }) => sum + count, 0)
  const newest = Math.max(0, ...counts.map(({ last }) => last))
  const { blockedUntil } = consequences(limit, failures, newest, newest)
  return isBlocked(limit, blockedUntil, now) || inFlight > Math.max(1, limit.free - failures)
}

/** Subtracts failures from a subject's count. */
export async function forgiveFailures(
  deps: Deps,
  work: Work,
  limit: GrowingDelay,
  subject: string,
  failures: number,
): Promise<void> {
  if (!deps.config.rateLimits) return

  const key = counterKey(deps, limit, subject)
  await work.db.deleteFrom('limit_counters').where('key', '=', key).where('count', '<=', failures).execute()
  await work.db
    .updateTable('limit_counters')
    .set((eb) => ({ count: eb('count', '-', failures) }))
    .where('key', '=', key)
    .execute()
}

/** Resets the counts of subjects. */
export async function resetLimit(deps: Deps, work: Work, limit: Limit, subjects: readonly string[]): Promise<void> {
  if (!deps.config.rateLimits || subjects.length === 0) return

  const keys = subjects.map((subject) => counterKey(deps, limit, subject))
  await forget(work, limit, keys)
}

/** Checks a limit and returns whether anything is counted. @throws rate_limited */
async function assertWithin(deps: Deps, limit: Limit, key: string): Promise<boolean> {
  const now = deps.clock.now()
  const row = await deps.store.db.selectFrom('limit_counters').selectAll().where('key', '=', key).executeTakeFirst()
  const live = row !== undefined && row.expires_at > now && !('max' in limit && row.since > now + clockSkew)
  const counted = live
    ? { count: row.count, blockedUntil: row.blocked_until }
    : findSpare(deps.strangers, limit, key, now)
  if (counted && isBlocked(limit, counted.blockedUntil, now)) throw rateLimited(counted.blockedUntil - now)

  const failed = counted?.count ?? 0
  const inFlight = deps.limitsInFlight.attempts.get(key) ?? 0
  const allowed = 'max' in limit ? limit.max - failed : Math.max(1, limit.free - failed)
  if (inFlight >= allowed) throw rateLimited(second)
  return counted !== undefined
}

/** Adds one use of a budget. Returns the ms to wait if it exceeded the budget. */
async function spend(work: Work, budget: Budget, key: string): Promise<number> {
  const { count: used, blockedUntil } = await countAndTell(work, budget, key)
  return used > budget.max ? Math.max(1, blockedUntil - work.now) : 0
}

interface Counted {
  readonly count: number
  readonly blockedUntil: Instant
}

/** Counts, and records an event when the limit is reached. Requests rejected after that write nothing. */
async function countAndTell(work: Work, limit: Limit, key: string): Promise<Counted> {
  const { now } = work
  const { before, ...counted } = await count(work, limit, key)
  if (counted.blockedUntil > now && !isBlocked(limit, before, now)) await tellOf(work, limit)
  return counted
}

async function tellOf(work: Work, limit: Limit): Promise<void> {
  await record(work, 'limit.exceeded', null, { limit: limit.name })
}

type CountedOn = Counted & { readonly before: Instant }

/** Counts in the row of the key, or in memory if strangers have caused so many rows that no more are added. */
async function count(work: Work, limit: Limit, key: string): Promise<CountedOn> {
  return (await countInRow(work, limit, key)) ?? countInMemory(work, limit, key)
}

async function countInRow(work: Work, limit: Limit, key: string): Promise<CountedOn | undefined> {
  const { now, strangers } = work
  const spare = spareFor(strangers, limit)
  const kept = spare?.find(key, now, memoryOf(limit))
  const mayAdd = !spare || strangers.mayAddCounter(kept !== undefined && spare === strangers.names)
  const row = mayAdd ? await addOrUpdate(work, limit, key, kept?.count ?? 0) : await update(work, key)
  if (!row) return undefined

  if (spare && row.isNew) work.onCommit(strangers.counterAdded)
  if (kept) work.onCommit(() => spare?.forget(key))
  const { blockedUntil, expiresAt } = consequences(limit, row.count, row.since, now)
  await work.db
    .updateTable('limit_counters')
    .set({ blocked_until: blockedUntil, expires_at: expiresAt })
    .where('key', '=', key)
    .execute()
  return { count: row.count, blockedUntil, before: row.blocked_until }
}

interface CounterRow {
  readonly count: number
  readonly since: Instant
  readonly blocked_until: Instant
  readonly isNew: boolean
}

/** Adds and reads in one statement, so that two processes that count at the same time count two. */
async function addOrUpdate(work: Work, limit: Limit, key: string, kept: number): Promise<CounterRow> {
  const { now } = work
  const row = await work.db
    .insertInto('limit_counters')
    .values({ key, count: kept + 1, since: now, blocked_until: 0, expires_at: now + memoryOf(limit) })
    .onConflict((conflict) => conflict.column('key').doUpdateSet(oneMore(now)))
    .returning(['count', 'since', 'blocked_until'])
    .executeTakeFirstOrThrow()
  return { ...row, isNew: row.count === kept + 1 }
}

async function update(work: Work, key: string): Promise<CounterRow | undefined> {
  const row = await work.db
    .updateTable('limit_counters')
    .set(oneMore(work.now))
    .where('key', '=', key)
    .returning(['count', 'since', 'blocked_until'])
    .executeTakeFirst()
  return row && { ...row, isNew: false }
}

/** Adds one in a live window, or starts a new window. A window from before the clock was set back starts again. */
function oneMore(now: Instant) {
  const isLive = sql`limit_counters.expires_at > ${now}`
  return {
    count: sql<number>`case when ${isLive} then limit_counters.count + 1 else 1 end`,
    since: sql<number>`case when ${isLive} and limit_counters.since <= ${now + clockSkew} then limit_counters.since else ${now} end`,
    blocked_until: sql<number>`case when ${isLive} then limit_counters.blocked_until else 0 end`,
  }
}

function countInMemory({ now, strangers }: Work, limit: Limit, key: string): CountedOn {
  const before = findSpare(strangers, limit, key, now)?.blockedUntil ?? 0
  spareFor(strangers, limit)?.add(key, now, memoryOf(limit))
  return { count: 0, blockedUntil: 0, ...findSpare(strangers, limit, key, now), before }
}

function findSpare(strangers: Strangers, limit: Limit, key: string, now: Instant): Counted | undefined {
  const found = spareFor(strangers, limit)?.find(key, now, memoryOf(limit))
  return found && { count: found.count, ...consequences(limit, found.count, found.since, found.since) }
}

/** Returns where a limit counts if no row is available. A limit whose keys strangers cannot multiply without end always has a row. */
function spareFor(strangers: Strangers, limit: Limit): SpareCounters | undefined {
  if (limit === signInDelay) return strangers.names
  return Object.values(addressLimits).some((ofAddress) => ofAddress === limit) ? strangers.addresses : undefined
}

/** Returns whether a delay is in force. One longer than the limit's longest was computed before the clock was set back, and is ignored. */
function isBlocked(limit: Limit, blockedUntil: Instant, now: Instant): boolean {
  const longest = 'max' in limit ? limit.window : limit.longest
  return blockedUntil > now && blockedUntil <= now + longest + clockSkew
}

function memoryOf(limit: Limit): number {
  return 'max' in limit ? limit.window : limit.memory
}

function consequences(
  limit: Limit,
  next: number,
  since: Instant,
  now: Instant,
): { blockedUntil: Instant; expiresAt: Instant } {
  if ('max' in limit) {
    const end = since + limit.window
    return { blockedUntil: next >= limit.max ? end : 0, expiresAt: end }
  }
  const over = next - limit.free
  const delay = over < 0 ? 0 : Math.min(limit.first * 2 ** Math.min(over, 30), limit.longest)
  return { blockedUntil: delay === 0 ? 0 : now + delay, expiresAt: now + limit.memory }
}

async function forget(work: Work, limit: Limit, keys: readonly string[]): Promise<void> {
  work.onCommit(() => {
    for (const key of keys) spareFor(work.strangers, limit)?.forget(key)
  })
  await work.db.deleteFrom('limit_counters').where('key', 'in', keys).execute()
}

/** Returns the key of the row that counts for a subject. */
export function counterKey(deps: Pick<Deps, 'keyring'>, limit: Pick<Limit, 'name'>, subject: string): string {
  // A keyed hash: a copy of the table reveals neither addresses nor names.
  return deps.keyring.mac('limit', `${limit.name}\n${createHash('sha256').update(subject).digest('hex')}`)
}

function rateLimited(wait: number): AuthError {
  return new AuthError('rate_limited', { retryAfter: Math.max(1, Math.ceil(wait / second)) })
}
