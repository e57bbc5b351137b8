import { rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { checkEvidence } from './evidence.ts'
import { grouped, processesAtOnce, runTests } from './run-tests.ts'
import { allTests } from './test-files.ts'

/**
 * Runs every test, or the given files, on the supported databases: `npm test`, `npm test -- packages/gatelodge/src/flows/sign-in/sign-in.test.ts`. A full run
 * also checks the coverage gate and the evidence maps. With `--engine=sqlite` or `--engine=postgres`, tests that use both databases run on that one only, and
 * neither check is made. `--seed=N` restores the file order of an earlier run.
 */
const covered = ['kernel', 'domain', 'flows'].map((layer) => `packages/gatelodge/src/${layer}/**/*.ts`)
const ranFile = 'coverage/ran-tests.ndjson'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { engine: { type: 'string' }, seed: { type: 'string' } },
})
const { engine, seed } = values
if (engine !== undefined && engine !== 'sqlite' && engine !== 'postgres')
  throw new Error('--engine is sqlite or postgres')

const files = positionals.length > 0 ? positionals : allTests()
const isGate = positionals.length === 0 && engine === undefined
rmSync('coverage', { recursive: true, force: true })
const inProcesses = files.length > 1 ? grouped(files, seed === undefined ? undefined : Number(seed)) : files
const status = await runTests({
  batches: [{ files: inProcesses, concurrency: processesAtOnce }],
  ranFile,
  flags: isGate ? coverageFlags() : [],
  env: engine === undefined ? {} : { TEST_ENGINE: engine },
})
if (engine !== undefined) console.log(`only on ${engine}: neither the coverage gate nor the evidence was looked at`)
if (status !== 0) process.exitCode = status
else if (isGate && !checkEvidence(ranFile)) process.exitCode = 1

function coverageFlags(): string[] {
  return [
    '--experimental-test-coverage',
    '--test-coverage-lines=100',
    ...covered.map((pattern) => `--test-coverage-include=${pattern}`),
    '--test-coverage-exclude=**/*.test.ts',
  ]
}
