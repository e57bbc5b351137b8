import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type OutputChunk, rolldown } from 'rolldown'

// Builds the program that `bin/gatelodge.js` runs: the server and the commands, with the libraries they use, in a few files. Node.js loads these in half the time
// and with 28 MB less memory than the 900 modules they come from. What is native, and PostgreSQL's driver, is loaded from `node_modules`.

const own = fileURLToPath(new URL('..', import.meta.url))

/** Each module that Node.js is given by its path: the two programs, then the threads and child processes, under the names by which `src` starts them. */
const entries = {
  main: 'src/main.ts',
  worker: 'src/cli/worker.ts',
  'hash-worker': 'src/domain/passwords/hash-worker.ts',
  decoder: 'src/domain/avatars/decoder.ts',
  'sqlite-rewrite-worker': 'src/store/sqlite-rewrite-worker.ts',
}
const external = [/^sharp$/, /^@node-rs\//, /^pg(?:-|$)/, /^@zxcvbn-ts\//]
/** How many builds of a checkout are kept at least. */
const buildsKept = 3
/** How long what a killed build has left is kept, in ms. */
const leftoversKept = 600_000
const { isWhole }: { isWhole: (folder: string) => boolean } = createRequire(import.meta.url)('../bin/gatelodge.js')

if (import.meta.main) {
  const [builds = '', folder = ''] = process.argv.slice(2)
  await buildInto(builds, folder)
}

/** Builds next to the folder and renames, so that a build is whole or not there, also if two programs start at once. */
async function buildInto(builds: string, folder: string): Promise<void> {
  const unfinished = join(builds, `unfinished-${process.pid}`)
  mkdirSync(unfinished, { recursive: true })
  try {
    await buildProgram(unfinished)
    if (isWhole(folder)) return // another program has built it meanwhile

    if (existsSync(folder)) renameSync(folder, `${unfinished}-damaged`)
    renameSync(unfinished, folder)
  } finally {
    for (const left of [unfinished, `${unfinished}-damaged`]) rmSync(left, { recursive: true, force: true })
  }
  prune(builds)
}

/** Deletes what killed builds have left, and old builds that no process runs. */
function prune(builds: string): void {
  const ageOf = (path: string) => Date.now() - statSync(path).mtimeMs
  const named = (prefix: string) =>
    readdirSync(builds)
      .filter((name) => name.startsWith(prefix))
      .map((name) => join(builds, name))
  for (const left of named('unfinished-'))
    if (ageOf(left) > leftoversKept) rmSync(left, { recursive: true, force: true })

  const byAge = named('program-').sort((one, other) => ageOf(one) - ageOf(other))
  for (const old of byAge.slice(buildsKept)) if (!isRunning(old)) rmSync(old, { recursive: true, force: true })
}

function isRunning(build: string): boolean {
  const pids = readdirSync(build).flatMap((name) => /^running-(\d+)$/.exec(name)?.[1] ?? [])
  return pids.some((pid) => isAlive(Number(pid)))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' // another user's process
  }
}

/** Writes the program into a folder, with what its pages are made of, the licences of the libraries in it, and last a list of all files with their sizes. */
export async function buildProgram(folder: string): Promise<void> {
  const bundle = await rolldown({
    cwd: own,
    input: entries,
    platform: 'node',
    external,
    transform: { target: 'esnext' },
    tsconfig: false, // its digest is no part of the fingerprint
    logLevel: 'silent',
  })
  const { output } = await bundle.write({
    dir: folder,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
  })
  await bundle.close()

  for (const file of globSync('src/pages/*.{css,svg,js}', { cwd: own }))
    copyFileSync(join(own, file), join(folder, basename(file)))
  const modules = output
    .filter((file): file is OutputChunk => file.type === 'chunk')
    .flatMap(({ moduleIds }) => moduleIds)
  writeFileSync(join(folder, 'LICENSES.txt'), licencesOf(modules))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n') // or Node.js reads each file to find out
  const sizes = readdirSync(folder).map((name) => [name, statSync(join(folder, name)).size])
  writeFileSync(join(folder, 'files.json'), `${JSON.stringify(Object.fromEntries(sizes))}\n`)
}

function licencesOf(modules: readonly string[]): string {
  const folders = modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? [])
  return [...new Set(folders)].sort().map(licenceOf).join('\n\n')
}

/** @throws if a package states no licence */
function licenceOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each))
  if (file === undefined && license === undefined) throw new Error(`${name} states no licence`)
  return `${name} ${version} (${license})\n\n${file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim()}\n`
}
