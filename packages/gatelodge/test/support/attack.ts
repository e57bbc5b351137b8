import type { Route } from '../../src/http/route.ts'
import { routes } from '../../src/routes.ts'
import { copiedTables } from '../../src/store/copy.ts'
import type { Ask, TestApp, Told } from './app.ts'

export type TableName = keyof typeof copiedTables

/** Every table of the schema. */
export const tables = Object.keys(copiedTables) as TableName[]

/** Returns all rows of the tables that an attack must leave unchanged: everything except counters and the audit log. */
export async function stored(app: TestApp): Promise<Record<string, unknown[]>> {
  const kept = tables.filter((table) => table !== 'limit_counters' && table !== 'events')
  const entries = await Promise.all(kept.map(async (table) => [table, await app.rows(table)] as const))
  return Object.fromEntries(entries)
}

/** Calls every route once, with path parameters filled in and the same extra options. */
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

/** Requests one page, with only the given cookies and without following redirects. */
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

/** Returns the path of a route with values for its parameters. */
export function concrete(route: Route): string {
  return route.path.replace(/:\w+/g, 'AAAAAAAAAAAAAAAAAAAAAA')
}

/** Returns a response without its request id, for comparison. */
export function likeness({ status, json, text }: Told): unknown {
  return { status, body: json === undefined ? text : { ...json, instance: null } }
}

/** Returns the first link in an email and its token. */
export function linkOf(text: string): { link: string; token: string } {
  const link = /https?:\/\/\S+/.exec(text)?.[0] ?? ''
  return { link, token: URL.canParse(link) ? (new URL(link).searchParams.get('token') ?? '') : '' }
}

/** Runs many attempts concurrently. */
export function inParallel<T>(times: number, attempt: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: times }, (_, index) => attempt(index)))
}

/** Counts how often each value occurs. */
export function tally(values: readonly (string | number | undefined)[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const value of values) counts[String(value)] = (counts[String(value)] ?? 0) + 1
  return counts
}

/** Waits for one turn of the event loop, in which commits of other processes are noticed. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
