import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { freePort } from '../packages/gatelodge/test/support/postgres.ts'
import { startPostgres } from '../packages/gatelodge/test/support/postgres-server.ts'

/**
 * Runs the tests of the flows, of two processes and of clean-up, or the given files, on PostgreSQL behind a real PgBouncer that shares few connections in
 * transaction mode: `node scripts/pgbouncer.ts`. It needs `pgbouncer` on the PATH (Debian: `apt-get install pgbouncer`).
 */
const poolSize = 3
const version = execFileSync('pgbouncer', ['--version'], { encoding: 'utf8' }).split('\n')[0]
const files = process.argv.length > 2 ? process.argv.slice(2) : defaultFiles()

const postgres = await startPostgres()
const bouncer = await startBouncer(postgres.url)
const { status } = spawnSync(
  process.execPath,
  [
    '--test',
    '--test-skip-pattern=\\(sqlite\\)',
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    ...files,
  ],
  { stdio: 'inherit', env: { ...process.env, TEST_POSTGRES_URL: bouncer.url, TEST_POSTGRES_DIRECT: postgres.url } },
)
const { transactions, queries } = await bouncer.totals()
await bouncer.stop()
await postgres.stop()
console.log(`${version}, pool_mode=transaction, ${poolSize} connections for each database`)
console.log(`${transactions} transactions and ${queries} queries went through it`)
console.log(status === 0 ? 'Verdict: all tests passed behind PgBouncer.' : 'Verdict: FAILED behind PgBouncer.')
process.exitCode = status ?? 1

function defaultFiles(): string[] {
  const flows = globSync('packages/gatelodge/src/flows/**/*.test.ts').sort()
  return [...flows, 'packages/gatelodge/src/jobs/clean-up.test.ts', 'packages/gatelodge/test/two-processes.test.ts']
}

async function startBouncer(upstream: string) {
  const folder = mkdtempSync(join(tmpdir(), 'gatelodge-pgbouncer-'))
  chmodSync(folder, 0o755)
  const port = await freePort()
  const { hostname, port: upstreamPort } = new URL(upstream)
  writeFileSync(join(folder, 'users.txt'), '"postgres" ""\n')
  writeFileSync(
    join(folder, 'pgbouncer.ini'),
    `[databases]
* = host=${hostname} port=${upstreamPort}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${join(folder, 'users.txt')}
admin_users = postgres
pool_mode = transaction
default_pool_size = ${poolSize}
max_client_conn = 2000
server_idle_timeout = 5
log_connections = 0
log_disconnections = 0
`,
  )
  // It refuses to run as root, like PostgreSQL.
  const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
  const child = spawn('pgbouncer', ['-q', join(folder, 'pgbouncer.ini')], {
    ...user,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const gone = once(child, 'exit')
  process.once('exit', () => child.kill())
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  const admin = await connectWhenUp(`postgres://postgres@127.0.0.1:${port}/pgbouncer`)

  return {
    url,
    async totals() {
      const { rows } = await admin.query<{ total_xact_count: string; total_query_count: string }>('show stats')
      const sum = (name: 'total_xact_count' | 'total_query_count') =>
        rows.reduce((total, row) => total + Number(row[name]), 0)
      return { transactions: sum('total_xact_count'), queries: sum('total_query_count') }
    },
    async stop() {
      await admin.end()
      child.kill('SIGTERM')
      await gone
      rmSync(folder, { recursive: true })
    },
  }
}

async function connectWhenUp(url: string): Promise<pg.Client> {
  const giveUp = performance.now() + 10_000
  for (;;) {
    const client = new pg.Client({ connectionString: url })
    const failure = await client.connect().then(
      () => undefined,
      (error: unknown) => error,
    )
    if (!failure) return client
    if (performance.now() > giveUp) throw failure
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
