import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { test } from 'node:test'
import { sql } from 'kysely'
import { cleanUp } from '../packages/gatelodge/src/jobs/clean-up.ts'
import { minute } from '../packages/gatelodge/src/kernel/clock.ts'
import { basic, forEachDatabase, type TestApp, testApp } from '../packages/gatelodge/test/support/app.ts'
import { inParallel } from '../packages/gatelodge/test/support/attack.ts'

const amount =
  process.env.PROOFS === 'quick'
    ? { requests: 9_900, time: 3 * minute, most: 12 }
    : { requests: 66_000, time: 10 * minute, most: 20 }
const megabyte = 1_000_000
/** The number of concurrent requests. */
const parallel = 22

/** Returns the size of the database on disk, on SQLite with its write-ahead log. */
async function sizeOf({ deps: { store } }: TestApp): Promise<number> {
  if (store.engine === 'postgres') {
    const asked = sql<{ size: number }>`select pg_database_size(current_database()) as size`
    return Number((await asked.execute(store.migrationDb)).rows[0]?.size)
  }
  const { rows } = await sql<{ name: string; file: string }>`pragma database_list`.execute(store.migrationDb)
  const file = rows.find(({ name }) => name === 'main')?.file ?? ''
  return statSync(file).size + statSync(`${file}-wal`).size
}

/** Returns a text that was not used before, with the given length. */
function word(seed: string, length: number): string {
  let text = ''
  while (text.length < length) text += createHash('sha256').update(`${seed}${text.length}`).digest('hex')
  return text.slice(0, length)
}

const longAddress = (seed: string) =>
  `${word(seed, 64)}@${word(`${seed}d`, 60)}.${word(`${seed}e`, 60)}.${word(`${seed}f`, 60)}.com`

/** Returns the source address: half of the flood comes from new /64s of one /32, the other half from all over IPv4. */
function origin(index: number): string {
  const [a = 0, b = 0, c = 0, d = 0] = createHash('sha256').update(`ip${index}`).digest()
  if (index % 2 === 0) return `2001:db8:${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}::1`
  return `${1 + (a % 223)}.${b}.${c}.${d}`
}

type Flood = (seed: string) => { path: string; body: unknown; form?: true; headers?: Record<string, string> }

const auth = '/api/v1/auth'
const token = (seed: string) => `${word(seed, 22)}.${word(`${seed}s`, 43)}`
const client = (seed: string) => ({ authorization: basic(`client_${word(seed, 22)}`, word(`${seed}s`, 43)) })

/** What strangers may request that writes rows, with the longest texts. */
const floods: readonly Flood[] = [
  (seed) => ({ path: '/oauth2/token', body: { grant_type: 'client_credentials' }, form: true, headers: client(seed) }),
  (seed) => ({ path: '/oauth2/introspect', body: { token: `glt_${token(seed)}` }, form: true, headers: client(seed) }),
  (seed) => ({ path: '/oauth2/revoke', body: { token: token(seed) }, form: true, headers: client(seed) }),
  (seed) => ({ path: `${auth}/signin`, body: { email: longAddress(seed), password: 'wrong harbour' } }),
  (seed) => ({ path: `${auth}/signin`, body: { username: word(seed, 30), password: 'wrong harbour' } }),
  (seed) => ({ path: `${auth}/forgot-password`, body: { email: longAddress(seed) } }),
  (seed) => ({ path: `${auth}/verify-email/resend`, body: { email: longAddress(seed) } }),
  (seed) => ({
    path: `${auth}/signup`,
    body: {
      email: longAddress(seed),
      password: 'quiet harbour 52',
      username: word(seed, 30),
      first_name: word(`${seed}n`, 150),
      last_name: word(`${seed}m`, 150),
    },
  }),
  (seed) => ({ path: `${auth}/refresh`, body: { refresh_token: token(seed) } }),
  (seed) => ({ path: `${auth}/reset-password`, body: { token: token(seed), new_password: 'another harbour 53' } }),
  (seed) => ({ path: `${auth}/username-available?username=${word(seed, 20)}`, body: undefined }),
]

async function ask(app: TestApp, index: number): Promise<number> {
  const flood = floods[index % floods.length] as Flood
  const { path, body, form, headers } = flood(String(index))
  const request = new Request(`http://localhost:3000${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      'user-agent': word(`${index}`, 400),
      'content-type': form ? 'application/x-www-form-urlencoded' : 'application/json',
      ...headers,
    },
    ...(body !== undefined && {
      body: form ? new URLSearchParams(body as Record<string, string>).toString() : JSON.stringify(body),
    }),
  })
  const { status } = await app.composition.fetch(request, { peer: origin(index) })
  return status
}

forEachDatabase('rows by strangers', (engine) => {
  test('ten minutes of the worst flood add less than 20 MB to the database, three less than 12 MB', async (t) => {
    const { requests, time, most } = amount
    await using app = await testApp({ engine })
    const before = await sizeOf(app)
    const statuses: Record<string, number> = {}
    const steps = requests / parallel
    let largest = 0
    for (let step = 0; step < steps; step += 1) {
      for (const status of await inParallel(parallel, (at) => ask(app, step * parallel + at)))
        statuses[status] = (statuses[status] ?? 0) + 1
      app.clock.advance(Math.round(((step + 1) * time) / steps) - Math.round((step * time) / steps))
      if (step % Math.ceil(steps / 60) === 0) await app.composition.deliverMail()
      if (step % Math.ceil(steps / 20) === 0) largest = Math.max(largest, await sizeOf(app))
    }
    await app.composition.deliverMail()
    await cleanUp(app.deps)
    const added = Math.max(largest, await sizeOf(app)) - before
    t.diagnostic(`${requests} requests (${JSON.stringify(statuses)}) added ${(added / megabyte).toFixed(1)} MB`)
    assert.ok(!statuses[500], JSON.stringify(statuses))
    assert.ok(added < most * megabyte, `${(added / megabyte).toFixed(1)} MB`)
  })
})
