import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { startPostgres } from '../packages/gatelodge/test/support/postgres-server.ts'
import { checkEvidence } from './evidence.ts'

/**
 * Runs every test, or the given files, on the databases that the program supports. The whole run also holds the coverage gate and the evidence maps:
 * `npm test`, `npm test -- packages/gatelodge/src/flows/sign-in/sign-in.test.ts`.
 */
const patterns = [
  'packages/*/src/**/*.test.ts',
  'packages/*/test/**/*.test.ts',
  'scripts/**/*.test.ts',
  'examples/**/*.test.ts',
]
const covered = ['kernel', 'domain', 'flows'].map((layer) => `packages/gatelodge/src/${layer}/**/*.ts`)
const ranFile = 'coverage/ran-tests.ndjson'

const given = process.argv.slice(2)
const whole = given.length === 0
const files = whole ? globSync(patterns, { exclude: ['**/node_modules/**'] }).sort() : given

const postgres = await startPostgres()
rmSync('coverage', { recursive: true, force: true })
mkdirSync('coverage', { recursive: true })
const { status } = spawnSync(
  process.execPath,
  [
    '--test',
    `--test-concurrency=${availableParallelism()}`, // most of a test is waiting for a disk, a mail or a process
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=./scripts/ran-tests-reporter.ts',
    `--test-reporter-destination=${ranFile}`,
    ...(whole ? coverageFlags() : []),
    ...files,
  ],
  { stdio: 'inherit', env: { ...process.env, TEST_POSTGRES_URL: postgres.url } },
)
await postgres.stop()
if (status !== 0) process.exitCode = status ?? 1
else if (whole && !checkEvidence(ranFile)) process.exitCode = 1

function coverageFlags(): string[] {
  return [
    '--experimental-test-coverage',
    '--test-coverage-lines=100',
    ...covered.map((pattern) => `--test-coverage-include=${pattern}`),
    '--test-coverage-exclude=**/*.test.ts',
  ]
}
