import { Counter, collectDefaultMetrics, Gauge, type Metric, type MetricConfiguration, Registry } from 'prom-client'
import type { Deps } from '../domain/deps.ts'
import { mailBacklog } from '../domain/outbox.ts'
import { type Monotonic, second, systemMonotonic } from '../kernel/clock.ts'
import type { ErrorCode } from '../kernel/errors.ts'
import type { EventName, Events, RecordedEvent } from '../kernel/events.ts'
import { version } from '../kernel/version.ts'
import { within } from '../kernel/within.ts'
import type { RequestObserver } from './observer.ts'
import { createRequestTimes } from './request-times.ts'
import type { Route } from './route.ts'

/** Counts what a process does, for Prometheus. Loaded only when metrics are enabled, because it costs memory. */
export interface Metrics extends RequestObserver {
  /** Counts events that were recorded and committed. */
  recorded(events: readonly RecordedEvent[]): void
  /** Sets the dependencies that the gauges are read from. */
  watch(deps: Deps): void
  /** Returns all figures in the Prometheus text format. */
  text(): Promise<string>
  /** Returns the same figures as objects, which metrics-sum.ts adds up over several processes. */
  figures(): Promise<MetricFigures>
  /** Returns a description of each application metric, for the manual. */
  describe(): readonly { name: string; type: string; labels: readonly string[]; help: string }[]
}

export type MetricFigures = Awaited<ReturnType<Registry['getMetricsAsJSON']>>

/** How long a scrape waits for a database that hangs, in ms. */
const patience = 2 * second

type Outcome =
  | 'success'
  | 'invalid_credentials'
  | 'inactive'
  | 'unverified'
  | 'password_disabled'
  | 'rate_limited'
  | 'overloaded'

const outcomeOf = {
  unknown_user: 'invalid_credentials',
  wrong_password: 'invalid_credentials',
  inactive: 'inactive',
  unverified: 'unverified',
  password_disabled: 'password_disabled',
} as const satisfies Record<Events['signin.failed']['reason'], Outcome>

/** Creates the metrics of a process. Labels contain only words of our own tables, never anything from a request. */
export function createMetrics(now: Monotonic = systemMonotonic): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const described: { name: string; type: string; labels: readonly string[]; help: string }[] = []
  const as = <Label extends string = never>(
    type: string,
    name: string,
    help: string,
    labels: readonly Label[] = [],
  ): MetricConfiguration<Label> => {
    described.push({ name, type, labels, help })
    return { name, help, labelNames: labels, registers }
  }

  const { name, help } = as(
    'histogram',
    'gatelodge_http_request_duration_seconds',
    'Time until a response was ready, by route template and status class.',
    ['method', 'route', 'status'],
  )
  const requests = createRequestTimes(name)
  const asMetric = {
    name,
    get: async () => ({ name, help, type: 'histogram', aggregator: 'sum', values: requests.values() }),
  }
  registry.registerMetric(asMetric as unknown as Metric) // all that a registry asks of one
  const errors = new Counter(as('counter', 'gatelodge_errors_total', 'Failed requests, by error code.', ['code']))
  const events = new Counter(as('counter', 'gatelodge_events_total', 'Events in the audit log, by name.', ['event']))
  const signIns = new Counter(
    as('counter', 'gatelodge_signins_total', 'Started sessions (success) and refused sign-ins, by reason.', [
      'outcome',
    ]),
  )
  const limits = new Counter(
    as(
      'counter',
      'gatelodge_limits_exceeded_total',
      'Rate limits that were exhausted and refuse requests from then on.',
      ['limit'],
    ),
  )
  const countedEvents = new Counter(
    as(
      'counter',
      'gatelodge_events_counted_total',
      'Events caused by strangers that were counted instead of stored one by one.',
      ['event'],
    ),
  )
  const sparedCounters = new Counter(
    as(
      'counter',
      'gatelodge_counters_in_memory_total',
      'Rate limit counts that were kept in memory for lack of room in the database.',
    ),
  )
  const refusedAsks = new Counter(
    as('counter', 'gatelodge_asks_refused_total', 'Sign-ups and mail requests that were refused for lack of room.'),
  )
  const hashing = new Gauge(as('gauge', 'gatelodge_password_hashing', 'Passwords being hashed or checked.', ['state']))
  const refusals = new Counter(
    as(
      'counter',
      'gatelodge_password_hashing_refused_total',
      'Password checks that were refused because too many were waiting.',
    ),
  )
  const cacheAnswers = new Counter(
    as('counter', 'gatelodge_session_cache_total', 'Session checks, by cache hit or miss.', ['result']),
  )
  const cacheEntries = new Gauge(as('gauge', 'gatelodge_session_cache_entries', 'Sessions in the cache.'))
  const cacheTrusted = new Gauge({
    ...as(
      'gauge',
      'gatelodge_session_cache_trusted',
      '1 while the cache may answer because it receives the changes of other processes.',
    ),
    aggregator: 'min',
  })
  const pool = new Gauge(
    as('gauge', 'gatelodge_database_pool', 'Open and idle connections to PostgreSQL, and work that waits for one.', [
      'state',
    ]),
  )
  const databaseUp = new Gauge({
    ...as('gauge', 'gatelodge_database_up', '1 if the database answered; if not, the mail metrics are omitted.'),
    aggregator: 'min',
  })
  const mails = new Gauge({
    ...as('gauge', 'gatelodge_mails', 'Mails in the outbox, by state.', ['state']),
    aggregator: 'max', // every process reports the same outbox
  })
  const oldestMail = new Gauge({
    ...as(
      'gauge',
      'gatelodge_mails_oldest_due_seconds',
      'How long the mail that has been due the longest has been due.',
    ),
    aggregator: 'max',
  })
  const processes = new Gauge(as('gauge', 'gatelodge_processes', 'Processes that serve requests.'))
  const build = new Gauge({
    ...as('gauge', 'gatelodge_build_info', 'Always 1; the labels give the versions.', ['version', 'node']),
    aggregator: 'first',
  })
  collectDefaultMetrics({ register: registry })
  processes.set(1)
  build.set({ version, node: process.versions.node }, 1)
  let watched: Deps | undefined

  function recorded(batch: readonly RecordedEvent[]): void {
    for (const event of batch) {
      events.inc({ event: event.name })
      if (is(event, 'session.started')) countSignIn('success')
      if (is(event, 'signin.failed')) countSignIn(outcomeOf[event.data.reason])
      if (is(event, 'limit.exceeded')) limits.inc({ limit: event.data.limit })
    }
  }

  function countSignIn(outcome: Outcome): void {
    signIns.inc({ outcome })
  }

  function failed(route: Route, code: ErrorCode): void {
    errors.inc({ code })
    if (route.limit === 'signIn' && (code === 'rate_limited' || code === 'overloaded')) countSignIn(code)
  }

  async function refresh(): Promise<void> {
    if (!watched) return

    const { hasher, sessionCache, store, strangers } = watched
    const { running, waiting, refused } = hasher.load()
    hashing.set({ state: 'running' }, running)
    hashing.set({ state: 'waiting' }, waiting)
    setCounter(refusals, {}, refused)

    const spared = strangers.tally()
    countedEvents.reset()
    for (const [event, count] of spared.events) countedEvents.inc({ event }, count)
    setCounter(sparedCounters, {}, spared.counters)
    setCounter(refusedAsks, {}, spared.asks)

    const { hits, misses, entries, trusted } = sessionCache.figures()
    setCounter(cacheAnswers, { result: 'hit' }, hits)
    cacheAnswers.inc({ result: 'miss' }, misses)
    cacheEntries.set(entries)
    cacheTrusted.set(trusted ? 1 : 0)

    const connections = store.pool()
    if (connections) for (const [state, count] of Object.entries(connections)) pool.set({ state }, count)
    await refreshMails(watched)
  }

  async function refreshMails({ store, clock }: Deps): Promise<void> {
    mails.reset()
    oldestMail.reset()
    databaseUp.set(0)
    try {
      const look = mailBacklog(store.db, clock.now())
      const {
        oldestDue,
        requested,
        sending,
        failed: givenUp,
      } = await within(patience, look, () => new Error('no answer'))
      for (const [state, count] of Object.entries({ requested, sending, failed: givenUp })) mails.set({ state }, count)
      oldestMail.set(oldestDue / second)
      databaseUp.set(1)
    } catch {
      // The other figures matter even more when the database is unavailable.
    }
  }

  return {
    now,
    recorded,
    failed,
    answered(route, status, startedAt) {
      requests.add(route, status, now() - startedAt)
    },
    watch(deps) {
      watched = deps
    },
    async text() {
      await refresh()
      return registry.metrics()
    },
    async figures() {
      await refresh()
      return registry.getMetricsAsJSON()
    },
    describe: () => described,
  }
}

function is<Name extends EventName>(event: RecordedEvent, name: Name): event is RecordedEvent<Name> {
  return event.name === name
}

/** Sets a counter to a sum that is counted elsewhere. */
function setCounter<Label extends string>(
  counter: Counter<Label>,
  labels: Partial<Record<Label, string>>,
  sum: number,
) {
  counter.reset()
  counter.inc(labels, sum)
}
