import { compose } from '../../src/compose.ts'
import { readConfig } from '../../src/config.ts'
import type { HashParameters } from '../../src/domain/passwords/hasher.ts'
import { routes } from '../../src/flows/index.ts'
import type { Route } from '../../src/http/route.ts'
import { type Ask, TestApp, type Told } from './app.ts'
import { type LogLine, recordingLog, testClock, testSecret } from './deps.ts'

/** Every table of the schema. */
export const tables = [
  'users',
  'profiles',
  'user_roles',
  'usernames',
  'email_reservations',
  'pending_signups',
  'one_time_tokens',
  'sessions',
  'refresh_tokens',
  'known_devices',
  'limit_counters',
  'events',
  'mails',
  'service_clients',
  'api_tokens',
  'revoked_tokens',
  'signing_keys',
  'avatar_removals',
] as const

export type TableName = (typeof tables)[number]

/** All rows of the tables that an attack must leave alone: everything but counters and the audit log. */
export async function stored(app: TestApp): Promise<Record<string, unknown[]>> {
  const kept = tables.filter((table) => table !== 'limit_counters' && table !== 'events')
  const entries = await Promise.all(kept.map(async (table) => [table, await app.rows(table)] as const))
  return Object.fromEntries(entries)
}

/** Asks every route of the table once, path parameters filled in, with the same extras. */
export async function askEveryRoute(
  app: TestApp,
  ask: (route: Route) => Ask,
  wanted: (route: Route) => boolean = () => true,
): Promise<(Told & { readonly name: string; readonly route: Route })[]> {
  const answers = []
  for (const route of routes.filter(wanted)) {
    const body = route.body ? {} : undefined
    const told = await app.ask(route.method, concrete(route), body, ask(route))
    answers.push({ ...told, name: `${route.method} ${route.path}`, route })
  }
  return answers
}

/** One request for a page, without cookies but those given and without following where it leads. */
export function askPage(
  app: TestApp,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  fields?: Readonly<Record<string, string>>,
): Promise<Response> {
  const request = new Request(`http://localhost:3000${path}`, {
    method,
    headers: {
      accept: 'text/html',
      ...(fields && { 'content-type': 'application/x-www-form-urlencoded' }),
      ...headers,
    },
    ...(fields && { body: new URLSearchParams(fields).toString() }),
  })
  return Promise.resolve(app.composition.fetch(request, { peer: '192.0.2.8' }))
}

/** The path of a route with something in the place of its parameters. */
export function concrete(route: Route): string {
  return route.path.replace(/:\w+/g, 'AAAAAAAAAAAAAAAAAAAAAA')
}

/** An app whose hashes cost something, for attacks on the cost. */
export async function costlyApp(passwordHash: HashParameters, env: Readonly<Record<string, string>>): Promise<TestApp> {
  const logged: LogLine[] = []
  const clock = testClock()
  const { config } = readConfig({
    env: { GATELODGE_DATABASE: 'sqlite::memory:', ...env },
    flags: {},
    readFile() {
      throw new Error('the tests read no setting from a file')
    },
  })
  const composition = await compose({
    config: { ...config, passwordHash },
    secret: testSecret,
    log: recordingLog(logged),
    clock,
  })
  return new TestApp(composition, clock, logged)
}

/** The same answer but for its request id. */
export function likeness({ status, json, text }: Told): unknown {
  return { status, body: json === undefined ? text : { ...json, instance: null } }
}

/** The first link of a mail and its token. */
export function linkOf(text: string): { link: string; token: string } {
  const link = /https?:\/\/\S+/.exec(text)?.[0] ?? ''
  return { link, token: URL.canParse(link) ? (new URL(link).searchParams.get('token') ?? '') : '' }
}

/** Runs many attempts at the same time. */
export function inParallel<T>(times: number, attempt: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: times }, (_, index) => attempt(index)))
}

/** How often each value occurs. */
export function tally(values: readonly (string | number | undefined)[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const value of values) counts[String(value)] = (counts[String(value)] ?? 0) + 1
  return counts
}

/** Lets the event loop turn once: what other processes committed is looked at once a turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
