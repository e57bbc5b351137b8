import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

const patterns = [
  'packages/*/src/**/*.test.ts',
  'packages/*/test/**/*.test.ts',
  'scripts/**/*.test.ts',
  'examples/**/*.test.ts',
  'bench/*.test.ts',
]

/** Returns the files of `npm test`. */
export function allTests(): string[] {
  return globSync(patterns, { exclude: ['**/node_modules/**'] }).sort()
}

/** Signs that a test file needs a separate process: it starts threads, workers or browsers, measures its process, or changes its global state. */
const ownProcess = [
  /^import .*'(?:node:(?:cluster|worker_threads|v8)|playwright-core)'/m,
  /^(?:await|(?:export )?(?:const|let) [^=]+ = await)\b/m, // what it starts while loading would run during all other tests
  /\bprocess\.(?:env[.[]\S+ = |on\(|chdir|umask|memoryUsage|exitCode)|\bdelete process\b/,
  /\bimport\((?!')/, // it may load anything, including a program
  /\bmock\.timers\b|\b(?:globalThis|global)\.\w+ = /,
]
const imports = /^(?:import|export) (?!type )[^'\n]*(?:\n[^'\n]+)*'(\.[^']+)'/gm

/**
 * Returns whether a test file may run in one process with others, judging by its text and that of the test support it imports. `runTogether` finds what this
 * misses.
 */
export function mayShareProcess(file: string): boolean {
  return closureOf(resolve(file)).every((text) => !ownProcess.some((pattern) => pattern.test(text)))
}

/** Returns whether `npm run proofs` limits the time of work in a test file. */
export function isHeldToPace(file: string): boolean {
  return /\bwithinPace\(/.test(readFileSync(file, 'utf8'))
}

/** Returns whether a proof measures how long something takes, which other load would distort. */
export function runsAlone(file: string): boolean {
  return isHeldToPace(file) || /\bperformance\.now\(\) - /.test(readFileSync(file, 'utf8'))
}

/**
 * Returns the texts of a test file and of the test support it imports. The program itself is not included: it is what is tested, and it cleans up or its test
 * says so.
 */
function closureOf(file: string, seen = new Set<string>()): string[] {
  if (seen.has(file) || !/\.test\.ts$|\/test\//.test(file) || !existsSync(file)) return []

  seen.add(file)
  const text = readFileSync(file, 'utf8')
  const below = [...text.matchAll(imports)].flatMap(([, path = '']) => closureOf(resolve(dirname(file), path), seen))
  return [text, ...below]
}
