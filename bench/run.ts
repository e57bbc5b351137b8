import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { judge } from './budgets.ts'
import { measureGrowth } from './growth.ts'
import { measureInstall } from './install.ts'
import { type Bench, measureChecks, measureCrowd, measureSignIns, measureStarts, openBench } from './measure.ts'
import { measureMemory } from './memory.ts'
import { installPeers } from './peers.ts'
import { measurePostgres } from './postgres.ts'
import { pinSelf, stopAll } from './processes.ts'
import { progress } from './progress.ts'
import { type Figures, render } from './report.ts'
import { seed } from './seed.ts'
import { measureTokens } from './tokens.ts'

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean' }, peers: { type: 'boolean' }, json: { type: 'string' } },
})
const quick = options.quick === true
const withPeers = options.peers === true
const people = 20_000

const folder = mkdtempSync(join(tmpdir(), 'gatelodge-bench-'))
process.once('SIGINT', () => void stopAll().then(() => process.exit(130)))
try {
  const figures = await measure()
  const verdicts = judge(figures)
  progress.end()
  process.stdout.write(`${render(figures, verdicts)}\n`)
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify({ ...figures, verdicts }, null, 2)}\n`)
  if (verdicts.some(({ outcome }) => outcome === 'missed')) process.exitCode = 1
} finally {
  await stopAll()
  rmSync(folder, { recursive: true, force: true })
}

async function measure(): Promise<Figures> {
  if (withPeers) installPeers()
  const isPinned = pinSelf()
  progress.say(`making a database of ${people} people`)
  const seeded = await seed(folder, people)
  const starts = await measureStarts(seeded, quick ? 3 : 7)

  const bench: Bench = await openBench(seeded, quick ? { rounds: 3, seconds: 1 } : { rounds: 3, seconds: 6 })
  const memory = await measureMemory(bench, quick ? 100_000 : 1_000_000)
  const checks = await measureChecks(bench)
  const tokens = await measureTokens(bench, withPeers)
  const signIns = await measureSignIns(bench)
  const crowd = await measureCrowd(bench)
  const growth = await measureGrowth(bench, folder, quick ? 100_000 : 1_000_000)
  const postgres = await measurePostgres(bench, folder, people, withPeers)
  return {
    date: new Date().toISOString(),
    node: process.version,
    machine: `${cpus().length} cores of ${cpus()[0]?.model ?? 'an unknown make'}, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform} ${process.arch}`,
    isPinned,
    quick,
    checks,
    tokens,
    signIns,
    crowd,
    starts,
    memory,
    growth,
    postgres,
    install: measureInstall(),
  }
}
