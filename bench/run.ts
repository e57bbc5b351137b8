import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Request } from 'autocannon'
import type { Job, Load } from './load.ts'
import {
  cpuSeconds,
  pinSelf,
  residentMb,
  type Subject,
  startOnLoadCore,
  startOnServerCore,
  startServer,
  stop,
  stopAll,
} from './processes.ts'
import { type Figures, type Measured, median, render, type Rounds } from './report.ts'
import { type Seed, seed } from './seed.ts'

const { values: options } = parseArgs({ options: { quick: { type: 'boolean' }, json: { type: 'string' } } })
const size = options.quick
  ? { rounds: 3, seconds: 1, signInSeconds: 2, starts: 3, people: 10_001 }
  : { rounds: 3, seconds: 5, signInSeconds: 8, starts: 7, people: 10_001 }

const connections = 32
const signInConnections = 8
const crowd = 16
const sessionPath = '/api/v1/auth/session'
const isTerminal = process.stderr.isTTY === true

/** A kind of request to one server. */
interface Case {
  readonly name: string
  readonly subject: Subject
  readonly requests: readonly Request[]
  /** What a right answer says. */
  readonly expected: RegExp
}

const folder = mkdtempSync(join(tmpdir(), 'gatelodge-bench-'))
process.once('SIGINT', () => void stopAll().then(() => process.exit(130)))
try {
  const figures = await measure()
  clearProgress()
  process.stdout.write(`${render(figures)}\n`)
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(figures, null, 2)}\n`)
  if (figures.missed.length > 0) process.exitCode = 1
} finally {
  await stopAll()
  rmSync(folder, { recursive: true, force: true })
}

async function measure(): Promise<Figures> {
  const isPinned = pinSelf()
  progress('making a database of 10,000 signed-in people')
  const seeded = await seed(folder, size.people)

  const starts: number[] = []
  for (let round = 1; round <= size.starts; round += 1) {
    progress(`start ${round} of ${size.starts}`)
    const started = await startGatelodge(seeded)
    starts.push(started.startMs)
    await stop(started.child)
  }

  const hello = await startServer('hello', '/', (port) => [local('subjects/hello.ts'), String(port)])
  const raw = await startServer(
    'raw session',
    '/',
    (port) => [local('subjects/raw-session.ts'), String(port), seeded.database],
    undefined,
    401,
  )
  const gatelodge = await startGatelodge(seeded)
  const idleMb = residentMb(gatelodge)
  const load = await ready(startOnLoadCore([local('load.ts')]))
  const pool = await ready(startOnServerCore([local('subjects/hash-pool.ts')]))

  const checks = await measureChecks(load, casesOf(seeded, { hello, raw, gatelodge }))
  const signIns = await measureSignIns(load, pool, gatelodge, seeded)
  const crowded = await measureCrowd(load, gatelodge, seeded)
  return {
    ...{ date: new Date().toISOString(), node: process.version, isPinned, quick: options.quick === true },
    machine: `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform} ${process.arch}`,
    ...{ checks, signIns, crowded },
    start: { median: median(starts), rounds: starts },
    memory: { idle: idleMb, loaded: residentMb(gatelodge) },
    missed: [],
  }
}
