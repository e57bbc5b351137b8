import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, type TestApp, testApp } from '../packages/gatelodge/test/support/app.ts'

const pairs = process.env.PROOFS === 'quick' ? 200 : 600

forEachDatabase('blindness by time', (engine) => {
  test('how long a refused sign-in takes does not tell a known address from an unknown one', async () => {
    await using app = await testApp({ engine, passwordHash: { memoryKiB: 4_096, passes: 2, lanes: 1 } })
    // Each account fails less often than its delay requires, and each client stays within its budget, so a hash is always part of the time.
    const known: string[] = []
    for (let index = 0; index < Math.ceil(pairs / 8); index += 1) {
      known.push(
        (await app.user({ email: `known${index + 1_000}@example.com`, username: `known${index + 1_000}` })).email,
      )
    }
    for (let round = 0; round < 20; round += 1) await timed(app, `warm${round}@example.com`, `198.18.0.${round}`)

    const [seen, unseen]: [number[], number[]] = [[], []]
    for (let pair = 0; pair < pairs; pair += 1) {
      const mine = known[pair % known.length] ?? ''
      const other = mine.replace('known', 'ghost')
      const ip = `198.18.${1 + (pair >> 3)}.${pair % 8}`
      const knownFirst = (pair * 2_654_435_761) % 2 ** 32 < 2 ** 31
      if (knownFirst) seen.push(await timed(app, mine, ip))
      unseen.push(await timed(app, other, ip))
      if (!knownFirst) seen.push(await timed(app, mine, ip))
    }
    const p = rankTest(seen, unseen)
    assert.ok(p > 0.001, `p = ${p}; medians ${median(seen)} and ${median(unseen)} ms`)
    // Checks that the test can detect a difference: the same times with a quarter added on one side.
    assert.ok(
      rankTest(
        seen.map((took) => took * 1.25),
        unseen,
      ) < 0.001,
    )
  })
})

async function timed(app: TestApp, email: string, ip: string): Promise<number> {
  const start = performance.now()
  const { code } = await app.post('/signin', { email, password: 'wrong harbour 1' }, { ip })
  const took = performance.now() - start
  assert.equal(code, 'invalid_credentials')
  return took
}

/** Returns the two-sided p of Wilcoxon's rank-sum test, by its normal approximation. */
function rankTest(left: readonly number[], right: readonly number[]): number {
  const ranked = [
    ...left.map((value) => ({ value, isLeft: true })),
    ...right.map((value) => ({ value, isLeft: false })),
  ]
  ranked.sort((a, b) => a.value - b.value)
  const sum = ranked.reduce((total, { isLeft }, index) => total + (isLeft ? index + 1 : 0), 0)
  const mean = (left.length * (ranked.length + 1)) / 2
  const deviation = Math.sqrt((left.length * right.length * (ranked.length + 1)) / 12)
  return 2 * (1 - normal(Math.abs(sum - mean) / deviation))
}

/** Returns the standard normal distribution at `z` (Abramowitz and Stegun, 26.2.17). */
function normal(z: number): number {
  const t = 1 / (1 + 0.231_641_9 * z)
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)
  return (
    1 -
    density * t * (0.319_381_53 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))))
  )
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
}
