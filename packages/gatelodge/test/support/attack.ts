import type { Route } from '../../src/http/route.ts'
import { routes } from '../../src/routes.ts'
import { copiedTables } from '../../src/store/copy.ts'
import type { Ask, TestApp, Told } from './app.ts'

export type TableName = keyof typeof copiedTables

/** Every table of the schema. */
export const tables = Object.keys(copiedTables) as TableName[]

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
