import { globSync } from 'node:fs'
import { checkProofs } from './evidence.ts'
import { runTestsOnOldestNode } from './oldest-node.ts'
import { processesAtOnce, runTests } from './run-tests.ts'
import { allTests, isHeldToPace, runsAlone } from './test-files.ts'

/**
 * Runs the long proofs and the tests with time limits (`withinPace`), or the given files: `npm run proofs`, `npm run proofs -- --quick` (fewer repetitions, for
 * CI). The full proofs end with all tests on the oldest supported Node.js.
 */
const given = process.argv.slice(2).filter((argument) => argument !== '--quick')
const quick = process.argv.includes('--quick')
const whole = given.length === 0
const files = whole ? [...globSync('acceptance/*.test.ts').sort(), ...allTests().filter(isHeldToPace)] : given
const ranFile = 'coverage/ran-proofs.ndjson'

const status = await runTests({
  batches: [
    { files: files.filter((file) => !runsAlone(file)), concurrency: processesAtOnce },
    { files: files.filter(runsAlone), concurrency: 1 },
  ].filter(({ files }) => files.length > 0),
  ranFile,
  env: { PROOFS: quick ? 'quick' : 'full' },
})
if (status !== 0) process.exitCode = status
else if (whole && !checkProofs(ranFile)) process.exitCode = 1
else if (whole && !quick) process.exitCode = runTestsOnOldestNode()
