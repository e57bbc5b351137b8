import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

const patterns = [
  'packages/*/src/**/*.test.ts',
  'packages/*/test/**/*.test.ts',
  'scripts/**/*.test.ts',
  'examples/**/*.test.ts',
]

/** The files of `npm test`. */
export function allTests(): string[] {
  return globSync(patterns, { exclude: ['**/node_modules/**'] }).sort()
}

/** What keeps a test file in a process of its own: it starts others, measures its process, or leaves a mark on it. */
const ownProcess = [
  /^import .*'(?:node:(?:child_process|cluster|worker_threads|v8)|playwright-core)'/m,
  /^(?:await|(?:export )?(?:const|let) [^=]+ = await)\b/m, // what it starts while it is loaded would run for all the others' time
  /\bprocess\.(?:env[.[]\S+ = |on\(|chdir|umask|memoryUsage|exitCode)|\bdelete process\b/,
  /\bimport\((?!')/, // whatever it finds, which may be a program
  /\bmock\.timers\b|\b(?:globalThis|global)\.\w+ = /,
]
const imports = /^(?:import|export) (?!type )[^'\n]*(?:\n[^'\n]+)*'(\.[^']+)'/gm

/** Whether a test file may run in one process with others, by its text and that of the test support it imports. What gets past this is found by `runTogether`. */
export function mayShareProcess(file: string): boolean {
  return closureOf(resolve(file)).every((text) => !ownProcess.some((pattern) => pattern.test(text)))
}

/** Whether `npm run proofs` holds work of a test file to a time. */
export function isHeldToPace(file: string): boolean {
  return /\bwithinPace\(/.test(readFileSync(file, 'utf8'))
}

/** Whether a proof says how long something takes, which a neighbour would change. */
export function runsAlone(file: string): boolean {
  return isHeldToPace(file) || /\bperformance\.now\(\) - /.test(readFileSync(file, 'utf8'))
}

/** The texts of a test file and of the test support below it. The program itself is what is tested: it cleans up, or its test says so. */
function closureOf(file: string, seen = new Set<string>()): string[] {
  if (seen.has(file) || !/\.test\.ts$|\/test\//.test(file) || !existsSync(file)) return []

  seen.add(file)
  const text = readFileSync(file, 'utf8')
  const below = [...text.matchAll(imports)].flatMap(([, path = '']) => closureOf(resolve(dirname(file), path), seen))
  return [text, ...below]
}
