import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import type { Request } from 'autocannon'
import pg from 'pg'
import { startPostgres, type TestPostgres } from '../packages/gatelodge/test/support/postgres-server.ts'
import { type Bench, type Case, type CheckFigures, measureCases, requestsOf, startGatelodge } from './measure.ts'
import { peersFolder } from './peers.ts'
import { freePort, type Server, startOnServerCore, stop } from './processes.ts'
import { progress } from './progress.ts'
import { type Seed, seed } from './seed.ts'

/** Session checks on PostgreSQL, which runs on the load's core. */
export interface PostgresFigures {
  readonly checks: readonly CheckFigures[]
  /** The share of the single process's checks that were answered from memory. */
  readonly hitRate: number
  readonly hasPeers: boolean
}

/** Measures one and two processes, and the peers if installed, alternating with hello. */
export async function measurePostgres(
  bench: Bench,
  folder: string,
  people: number,
  withPeers: boolean,
): Promise<PostgresFigures> {
  progress.say('starting PostgreSQL')
  const postgres = await startPostgres({ durable: true })
  const servers: Server[] = []
  try {
    const seeded = await seedPostgres(postgres, folder, people)
    const metricsPort = await freePort()
    const one = await startGatelodge(seeded, { GATELODGE_METRICS_LISTEN: `127.0.0.1:${metricsPort}` })
    servers.push(one)
    const two = await startGatelodge(seeded, {
      GATELODGE_WORKERS: '2',
      GATELODGE_SMTP_URL: 'smtp://127.0.0.1:1?tls=never',
    })
    servers.push(two)
    const requests = requestsOf(seeded).cookieChecks
    const ofOne = requests.slice(0, 1)
    const expected = '"email":"person1@example.com"'
    const cases: Case[] = [
      { name: 'raw hello', server: bench.hello, requests: [{ path: '/' }], expected: '{"hello":"world"}' },
      { name: 'session by cookie', server: one, requests: ofOne, expected },
      { name: 'session by cookie, 20,000 sessions', server: one, requests, expected },
      { name: 'session by cookie, two processes', server: two, requests: ofOne, expected },
    ]
    if (withPeers) {
      const { server, request } = await startBetterAuth(postgres)
      servers.push(server)
      cases.push({ name: 'better-auth', server, requests: [request], expected: '"email":"person1@example.com"' })
    }
    const checks = await measureCases(bench, cases)
    return { checks, hitRate: await hitRateOf(metricsPort), hasPeers: withPeers }
  } finally {
    for (const { child } of servers) await stop(child)
    await postgres.stop()
  }
}

async function seedPostgres(postgres: TestPostgres, folder: string, people: number): Promise<Seed> {
  progress.say(`making a PostgreSQL database of ${people} people`)
  return seed(mkdtempSync(join(folder, 'postgres-')), people, await emptyDatabase(postgres, 'gatelodge'))
}

async function emptyDatabase({ url }: TestPostgres, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  return url.replace(/[^/]+$/, name)
}

async function startBetterAuth(postgres: TestPostgres): Promise<{ server: Server; request: Request }> {
  const port = await freePort()
  const database = await emptyDatabase(postgres, 'better_auth')
  const child = startOnServerCore([join(peersFolder, 'better-auth.mjs'), String(port), database])
  const [{ cookie }] = await once(child, 'message')
  const server = { name: 'better-auth', child, url: `http://127.0.0.1:${port}` }
  return { server, request: { path: '/api/auth/get-session', headers: { cookie } } }
}

async function hitRateOf(port: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const count = (outcome: string) =>
    Number(new RegExp(`^gatelodge_session_cache_total\\{[^}]*"${outcome}"[^}]*\\} (\\d+)`, 'm').exec(text)?.[1])
  return count('hit') / (count('hit') + count('miss'))
}
