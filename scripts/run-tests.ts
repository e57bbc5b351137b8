import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, relative, resolve } from 'node:path'
import { startPostgres } from '../packages/gatelodge/test/support/postgres-server.ts'
import { mayShareProcess } from './test-files.ts'

export interface TestRun {
  /** Batches that run one after the other. */
  readonly batches: readonly { readonly files: readonly string[]; readonly concurrency: number }[]
  /** The file for the names of the tests that ran. */
  readonly ranFile: string
  readonly flags?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Test processes at once: one more than cores, since each waits at times for a database, a disk or a process that it started. */
export const processesAtOnce = availableParallelism() + 1

const groupFolder = 'coverage/groups'

/** Runs test files with `node --test` and a separate PostgreSQL. Returns the exit status: the first one that is not 0. */
export async function runTests({ batches, ranFile, flags = [], env = {} }: TestRun): Promise<number> {
  const postgres = await startPostgres()
  mkdirSync(dirname(ranFile), { recursive: true })
  writeFileSync(ranFile, '')
  const ranInBatch = `${ranFile}.batch`
  const statuses = batches.map(({ files, concurrency }) => {
    const { status } = spawnSync(
      process.execPath,
      [
        '--test',
        `--test-concurrency=${concurrency}`,
        `--import=${import.meta.resolve('./test-process.ts')}`,
        '--test-reporter=spec',
        '--test-reporter-destination=stdout',
        '--test-reporter=./scripts/ran-tests-reporter.ts',
        `--test-reporter-destination=${ranInBatch}`,
        ...flags,
        ...files,
      ],
      {
        stdio: 'inherit',
        env: { ...process.env, ...env, TEST_POSTGRES_URL: postgres.url, TEST_POSTGRES_SOCKET: postgres.socket },
      },
    )
    appendFileSync(ranFile, readFileSync(ranInBatch))
    return status ?? 1
  })
  await postgres.stop()
  return statuses.find((status) => status !== 0) ?? 0
}

/**
 * Combines files that may share a process into groups, in random order, so that a test that depends on another having run, or not having run, does not go
 * unnoticed. The order follows from a seed, which is printed.
 */
export function grouped(files: readonly string[], seed = Math.floor(Math.random() * 2 ** 32)): string[] {
  const shared = shuffle(files.filter(mayShareProcess), seed)
  const own = files.filter((file) => !mayShareProcess(file))
  console.log(`${shared.length} files share processes, in the order of --seed=${seed}; ${own.length} have their own`)
  rmSync(groupFolder, { recursive: true, force: true })
  mkdirSync(groupFolder, { recursive: true })

  const count = Math.min(processesAtOnce, shared.length) // each process loads and compiles the program once more
  const groups = Array.from({ length: count }, (_, index) =>
    writeGroup(
      index + 1,
      shared.filter((_, position) => position % count === index),
    ),
  )
  return [...groups, ...own] // the longest first
}

function writeGroup(number: number, files: readonly string[]): string {
  const path = `${groupFolder}/group-${number}.ts`
  const runner = relative(groupFolder, resolve('scripts/shared-process.ts'))
  writeFileSync(
    path,
    `import { runTogether } from '${runner}'\n\nawait runTogether(${JSON.stringify(files, undefined, 2)})\n`,
  )
  return path
}

/** Shuffles with mulberry32 and Fisher–Yates: the same seed gives the same order on every machine. */
function shuffle<T>(list: readonly T[], seed: number): T[] {
  let state = seed
  const random = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const shuffled = [...list]
  for (let last = shuffled.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1))
    ;[shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T]
  }
  return shuffled
}
