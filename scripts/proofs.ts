import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, rmSync } from 'node:fs'
import { startPostgres } from '../packages/gatelodge/test/support/postgres-server.ts'
import { checkProofs } from './evidence.ts'

/** Tests whose work is held to a time here: see withinPace. */
const held = [
  'packages/gatelodge/src/domain/identifiers/email.test.ts',
  ...['07-access-token-forgery', '17-hash-load', '45-hostile-input', 'bad-input'].map(
    (name) => `packages/gatelodge/test/attacks/${name}.test.ts`,
  ),
]

/** Runs the long proofs, or the given files: `npm run proofs`, `npm run proofs -- --quick` (fewer repetitions, for CI). */
const given = process.argv.slice(2).filter((argument) => argument !== '--quick')
const quick = process.argv.includes('--quick')
const whole = given.length === 0
const files = whole ? [...globSync('proofs/*.test.ts').sort(), ...held] : given
const ranFile = 'coverage/ran-proofs.ndjson'

const postgres = await startPostgres()
mkdirSync('coverage', { recursive: true })
rmSync(ranFile, { force: true })
const { status } = spawnSync(
  process.execPath,
  [
    '--test',
    '--test-concurrency=1',
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=./scripts/ran-tests-reporter.ts',
    `--test-reporter-destination=${ranFile}`,
    ...files,
  ],
  {
    stdio: 'inherit',
    env: { ...process.env, TEST_POSTGRES_URL: postgres.url, PROOFS: quick ? 'quick' : 'full' },
  },
)
await postgres.stop()
if (status !== 0) process.exitCode = status ?? 1
else if (whole && !checkProofs(ranFile)) process.exitCode = 1
