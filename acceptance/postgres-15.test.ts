import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { startPostgres } from '../packages/gatelodge/test/support/postgres-server.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const quick = process.env.PROOFS === 'quick'

/** Enough files to show that the schema, transactions and a flow work. */
const few = ['src/store/migrate', 'src/store/copy', 'src/flows/sessions/sessions', 'src/flows/sign-up/sign-up']

test('everything that runs on PostgreSQL 18 runs on PostgreSQL 15, the oldest supported', async () => {
  const server = await startPostgres({ version: 15 })
  try {
    assert.match(await versionOf(server.url), /^15\./)
    const files = quick ? few.map((name) => `packages/gatelodge/${name}.test.ts`) : filesOnPostgres()
    assert.ok(files.length >= few.length)
    const passed = await runTests(files, server.url)
    assert.ok(passed >= files.length, `${passed} tests of ${files.length} files`)
  } finally {
    await server.stop()
  }
})

function filesOnPostgres(): string[] {
  return globSync('packages/gatelodge/{src,test}/**/*.test.ts', { cwd: root })
    .filter((file) => readFileSync(root + file, 'utf8').includes('forEachDatabase('))
    .sort()
}

/** Runs the PostgreSQL half of the files and returns how many tests passed. */
async function runTests(files: readonly string[], url: string): Promise<number> {
  // With the first variable, node would treat the run as part of this one; with the second, tests enforce time limits, which fail when two run at the same time.
  const { NODE_TEST_CONTEXT: _, PROOFS: __, ...env } = process.env
  const only = ['--test-name-pattern=\\(postgres\\)', '--test-reporter=tap', '--test-concurrency=2']
  const run = spawn(process.execPath, ['--test', ...only, ...files], {
    cwd: root,
    env: { ...env, TEST_POSTGRES_URL: url },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [report, [status]] = await Promise.all([text(run.stdout), once(run, 'exit')])
  assert.equal(status, 0, failuresIn(report))
  return Number(/^# pass (\d+)$/m.exec(report)?.[1])
}

function failuresIn(report: string): string {
  const lines = report.split('\n')
  return lines.flatMap((line, index) => (/^ *not ok /.test(line) ? lines.slice(index, index + 12) : [])).join('\n')
}

async function versionOf(connectionString: string): Promise<string> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  const { rows } = await client.query<{ server_version: string }>('show server_version')
  await client.end()
  return rows[0]?.server_version ?? ''
}
