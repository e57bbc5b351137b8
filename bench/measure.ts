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
  /** Requests of which each may be sent in one round only: so many in each, however long they take. */
  readonly perRound?: number
  /** What a right answer holds. */
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
  for (const { name, server, requests, perRound, expected } of cases)
    await assertAnswers(name, server, perRound === undefined ? requests : requests.slice(-1), expected)

  const figures = cases.map(({ name }) => ({ name, rounds: [] as Round[] }))
  for (let round = 0; round <= bench.rounds; round += 1) {
    for (const [index, one] of cases.entries()) {
      const { name, server } = one
      progress.say(`${name}: ${round === 0 ? 'warming up' : `round ${round} of ${bench.rounds}`}`)
      const cpuBefore = cpuSeconds(server)
      const [load] = await run(bench, [{ url: server.url, connections, ...partOf(bench, one, round) }])
      const perCpuSecond = load.answers / (cpuSeconds(server) - cpuBefore)
      if (round > 0) figures[index]?.rounds.push({ rate: load.rate, p99: load.p99, perCpuSecond })
    }
  }
  return figures
}

function partOf({ seconds }: Bench, { requests, perRound }: Case, round: number) {
  if (perRound === undefined) return { seconds, requests }
  return { amount: perRound, requests: requests.slice(round * perRound, (round + 1) * perRound) }
}

/** The server and its bare hash pool in turns. */
export async function measureSignIns(bench: Bench): Promise<SignInFigures> {
  const { gatelodge, pool, seeded, seconds } = bench
  const requests = requestsOf(seeded).signIns
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
  const { cookieChecks, signIns } = requestsOf(seeded)
  const figures: { checks: number[]; signIns: number[]; p99: number[] } = { checks: [], signIns: [], p99: [] }
  for (let round = 1; round <= bench.rounds; round += 1) {
    progress.say(`session checks while ${crowdSize} sign in: round ${round} of ${bench.rounds}`)
    const [checks, crowd] = await run(bench, [
      { url: gatelodge.url, connections, seconds, requests: cookieChecks },
      { url: gatelodge.url, connections: crowdSize, seconds, requests: signIns },
    ])
    figures.checks.push(checks.rate)
    figures.p99.push(checks.p99)
    figures.signIns.push(crowd.rate)
  }
  return figures
}

function casesOf({ seeded, hello, raw, gatelodge }: Bench): Case[] {
  const { cookieChecks, bearerCheck, signInPage, serviceToken } = requestsOf(seeded)
  const person = '"email":"person1@example.com"'
  const bearer = '"email":"bearer@example.com"'
  const introspection = introspectionOf(seeded.client, seeded.accessToken)
  const ours = (name: string, requests: readonly Request[], expected: string): Case => ({
    name,
    server: gatelodge,
    requests,
    expected,
  })
  return [
    { name: 'raw hello', server: hello, requests: [{ path: '/' }], expected: '{"hello":"world"}' },
    { name: 'raw session', server: raw, requests: cookieChecks.slice(0, 1), expected: person },
    ours('healthz', [{ path: '/healthz' }], '{"status":"ok"}'),
    ours('sign-in page', [signInPage], 'name="identifier"'),
    ours('session by cookie', cookieChecks.slice(0, 1), person),
    ours('session by cookie, 20,000 sessions', cookieChecks, person),
    ours('session by bearer token', [bearerCheck], bearer),
    ours('introspection', [introspection], bearer),
    ours('token for a service client', [serviceToken], '"access_token"'),
  ]
}

/** The requests of the bench to one server, by kind. */
export function requestsOf({ people, password, refreshTokens, accessToken, client }: Seed) {
  const post = (path: string, body: unknown): Request => ({
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const some = people.slice(0, 1_000)
  return {
    /** A session check by each person's cookie. */
    cookieChecks: people.map(
      ({ cookie }): Request => ({ path: sessionPath, headers: { cookie: `gatelodge=${cookie}` } }),
    ),
    bearerCheck: { path: sessionPath, headers: { authorization: `Bearer ${accessToken}` } } satisfies Request,
    signInPage: { path: '/login' } satisfies Request,
    signIns: some.map(({ email }) => post('/api/v1/auth/signin', { email, password, session: 'cookie' })),
    refreshes: refreshTokens.map((token) => post('/api/v1/auth/refresh', { refresh_token: token })),
    forgottenPasswords: some.map(({ email }) => post('/api/v1/auth/forgot-password', { email })),
    serviceToken: formRequest('/oauth2/token', client, 'grant_type=client_credentials'),
  }
}

/** The question of a service about a token (RFC 7662). */
export function introspectionOf(client: string, token: string, path = '/oauth2/introspect'): Request {
  return formRequest(path, client, `token=${token}`)
}

function formRequest(path: string, authorization: string, body: string): Request {
  const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' }
  return { method: 'POST', path, headers, body }
}

/** A server that answers wrongly may be as fast as it likes. */
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

/** Runs jobs at the same time; one answer that is no 2xx stops the bench. */
export async function run<const Jobs extends readonly Job[]>(
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
