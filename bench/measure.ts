import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Request } from 'autocannon'
import type { Job, Load } from './load.ts'
import { cpuSeconds, local, type Server, startOnLoadCore, startOnServerCore, startServer, stop } from './processes.ts'
import { progress } from './progress.ts'
import type { Seed } from './seed.ts'

/** Everything that runs during the rounds. */
export interface Bench {
  readonly seeded: Seed
  readonly rounds: number
  readonly seconds: number
  readonly hello: Server
  readonly raw: Server
  readonly gatelodge: Server
  readonly pool: ChildProcess
  readonly load: ChildProcess
}

/** The figures of one kind of request, round by round. */
export interface CheckFigures {
  readonly name: string
  readonly rounds: readonly Round[]
}

export interface Round {
  /** Responses per second. */
  readonly rate: number
  /** Responses per second of the server's processor time. Unaffected by a load generator or other processes that compete for time. */
  readonly perCpuSecond: number
  /** In ms. */
  readonly p99: number
}

/** Sign-ins on the server, and checks of its bare hash pool. */
export interface SignInFigures {
  readonly server: readonly Rate[]
  readonly pool: readonly Rate[]
}

type Rate = Pick<Round, 'rate' | 'perCpuSecond'>

/** Session checks while others sign in. */
export interface CrowdFigures {
  readonly checks: readonly number[]
  readonly signIns: readonly number[]
  /** In ms. */
  readonly p99: readonly number[]
}

/** One kind of request to one server. */
export interface Case {
  readonly name: string
  readonly server: Server
  readonly requests: readonly Request[]
  /** A text that a correct response contains. */
  readonly expected: string
}

const cli = fileURLToPath(new URL('../packages/gatelodge/bin/gatelodge.js', import.meta.url))
const sessionPath = '/api/v1/auth/session'
const connections = 32
const signInConnections = 8
const crowdSize = 16

/** Returns the ms from the start of the process to the first 200, on an existing database. */
export async function measureStarts(seeded: Seed, count: number): Promise<number[]> {
  const starts: number[] = []
  for (let turn = 1; turn <= count; turn += 1) {
    progress.say(`start ${turn} of ${count}`)
    const server = await startGatelodge(seeded)
    starts.push(server.startMs)
    await stop(server.child)
  }
  return starts
}

/** Starts the servers and the load generator. */
export async function openBench(seeded: Seed, size: { rounds: number; seconds: number }): Promise<Bench> {
  const port = (module: string, ...rest: string[]) => ({
    args: (number: number) => [local(module), String(number), ...rest],
    path: '/',
  })
  return {
    seeded,
    ...size,
    hello: await startServer('hello', port('subjects/hello.ts')),
    raw: await startServer('raw session', { ...port('subjects/raw-session.ts', seeded.database), status: 401 }),
    gatelodge: await startGatelodge(seeded),
    pool: await ready(startOnServerCore([local('subjects/hash-pool.ts')])),
    load: await ready(startOnLoadCore([local('load.ts')])),
  }
}

/** Measures every kind of request in turn, round after round, following one warm-up round. */
export function measureChecks(bench: Bench): Promise<CheckFigures[]> {
  return measureCases(bench, casesOf(bench))
}

/** Measures the given kinds of request in turn, like `measureChecks`. */
export async function measureCases(bench: Bench, cases: readonly Case[]): Promise<CheckFigures[]> {
  for (const { name, server, requests, expected } of cases) await assertAnswers(name, server, requests, expected)

  const figures = cases.map(({ name }) => ({ name, rounds: [] as Round[] }))
  for (let round = 0; round <= bench.rounds; round += 1) {
    for (const [index, { name, server, requests }] of cases.entries()) {
      progress.say(`${name}: ${round === 0 ? 'warming up' : `round ${round} of ${bench.rounds}`}`)
      const cpuBefore = cpuSeconds(server)
      const [load] = await run(bench, [{ url: server.url, connections, seconds: bench.seconds, requests }])
      const perCpuSecond = load.answers / (cpuSeconds(server) - cpuBefore)
      if (round > 0) figures[index]?.rounds.push({ rate: load.rate, p99: load.p99, perCpuSecond })
    }
  }
  return figures
}

/** Measures the server and its bare hash pool alternately. */
export async function measureSignIns(bench: Bench): Promise<SignInFigures> {
  const { gatelodge, pool, seeded, seconds } = bench
  const requests = signIns(seeded)
  await assertAnswers('sign-in', gatelodge, requests, '"email":"person1@example.com"')

  const figures: { server: Rate[]; pool: Rate[] } = { server: [], pool: [] }
  for (let round = 0; round <= bench.rounds; round += 1) {
    progress.say(`sign-in: ${round === 0 ? 'warming up' : `round ${round} of ${bench.rounds}`}`)
    const cpuBefore = [cpuSeconds({ child: pool }), cpuSeconds(gatelodge)] as const
    pool.send(seconds * 1000)
    const [checks] = await once(pool, 'message')
    const [load] = await run(bench, [{ url: gatelodge.url, connections: signInConnections, seconds, requests }])
    if (round === 0) continue

    const [ofPool, ofServer] = cpuBefore
    figures.pool.push({ rate: checks.rate, perCpuSecond: checks.answers / (cpuSeconds({ child: pool }) - ofPool) })
    figures.server.push({ rate: load.rate, perCpuSecond: load.answers / (cpuSeconds(gatelodge) - ofServer) })
  }
  return figures
}

/** Measures session checks while a crowd signs in as fast as it can. */
export async function measureCrowd(bench: Bench): Promise<CrowdFigures> {
  const { gatelodge, seeded, seconds } = bench
  const figures: { checks: number[]; signIns: number[]; p99: number[] } = { checks: [], signIns: [], p99: [] }
  for (let round = 1; round <= bench.rounds; round += 1) {
    progress.say(`session checks while ${crowdSize} sign in: round ${round} of ${bench.rounds}`)
    const [checks, crowd] = await run(bench, [
      { url: gatelodge.url, connections, seconds, requests: cookieChecks(seeded) },
      { url: gatelodge.url, connections: crowdSize, seconds, requests: signIns(seeded) },
    ])
    figures.checks.push(checks.rate)
    figures.p99.push(checks.p99)
    figures.signIns.push(crowd.rate)
  }
  return figures
}

function casesOf({ seeded, hello, raw, gatelodge }: Bench): Case[] {
  const spread = cookieChecks(seeded)
  const bearer: Request = { path: sessionPath, headers: { authorization: `Bearer ${seeded.accessToken}` } }
  const person = '"email":"person1@example.com"'
  const introspection = introspectionOf(seeded.client, seeded.accessToken)
  return [
    { name: 'raw hello', server: hello, requests: [{ path: '/' }], expected: '{"hello":"world"}' },
    { name: 'raw session', server: raw, requests: spread.slice(0, 1), expected: person },
    { name: 'healthz', server: gatelodge, requests: [{ path: '/healthz' }], expected: '{"status":"ok"}' },
    { name: 'sign-in page', server: gatelodge, requests: [{ path: '/login' }], expected: 'name="identifier"' },
    { name: 'session by cookie', server: gatelodge, requests: spread.slice(0, 1), expected: person },
    { name: 'session by cookie, 10,000 sessions', server: gatelodge, requests: spread, expected: person },
    {
      name: 'session by bearer token',
      server: gatelodge,
      requests: [bearer],
      expected: '"email":"bearer@example.com"',
    },
    { name: 'introspection', server: gatelodge, requests: [introspection], expected: '"email":"bearer@example.com"' },
    {
      name: 'token for a service client',
      server: gatelodge,
      requests: [formRequest('/oauth2/token', seeded.client, 'grant_type=client_credentials')],
      expected: '"access_token"',
    },
  ]
}

/** Returns a token introspection request of a service (RFC 7662). */
export function introspectionOf(client: string, token: string, path = '/oauth2/introspect'): Request {
  return formRequest(path, client, `token=${token}`)
}

function formRequest(path: string, authorization: string, body: string): Request {
  const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' }
  return { method: 'POST', path, headers, body }
}

/** Returns a session check with each user's cookie. */
export function cookieChecks({ people }: Seed): Request[] {
  return people.map(({ cookie }) => ({ path: sessionPath, headers: { cookie: `gatelodge=${cookie}` } }))
}

function signIns({ people, password }: Seed): Request[] {
  return people.slice(0, 1_000).map(({ email }) => ({
    method: 'POST',
    path: '/api/v1/auth/signin',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password, session: 'cookie' }),
  }))
}

/** Asserts that the server answers correctly; the speed of wrong answers means nothing. */
async function assertAnswers(
  name: string,
  { url }: Server,
  [first]: readonly Request[],
  expected: string,
): Promise<void> {
  if (!first) throw new Error(`${name} has no request`)

  const { method = 'GET', path = '/', headers = {}, body } = first
  const response = await fetch(url + path, {
    method,
    headers: headers as Record<string, string>,
    ...(body !== undefined && { body: String(body) }),
  })
  const text = await response.text()
  if (response.status !== 200 || !text.includes(expected)) throw new Error(`${name} answers ${response.status} ${text}`)
}

async function run<const Jobs extends readonly Job[]>(
  { load }: Bench,
  jobs: Jobs,
): Promise<{ -readonly [Key in keyof Jobs]: Load }> {
  load.send(jobs)
  const [results] = await once(load, 'message')
  for (const { failures } of results) if (failures > 0) throw new Error(`${failures} answers were no 2xx`)
  return results
}

/** Starts a server on a seeded database. */
export function startGatelodge({ env }: Seed, more: Readonly<Record<string, string>> = {}) {
  return startServer('gatelodge', {
    args: () => [cli, 'serve'],
    path: '/healthz',
    env: (port) => ({ ...env, ...more, GATELODGE_LISTEN: `127.0.0.1:${port}` }),
  })
}

async function ready(child: ChildProcess): Promise<ChildProcess> {
  await once(child, 'message')
  return child
}
