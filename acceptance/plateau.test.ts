import { test } from 'node:test'
import { forEachDatabase } from '../packages/gatelodge/test/support/app.ts'
import { assertPlateau, longestMemory, simulate } from '../packages/gatelodge/test/support/traffic.ts'

const amount = process.env.PROOFS === 'quick' ? { every: 5, members: 3 } : { every: 1, members: 12 }

forEachDatabase('plateau', (engine) => {
  test('once the longest memory has passed, 90 further days grow no table and no file', async (t) => {
    const sizes = await simulate(engine, { days: longestMemory + 95, ...amount })
    for (const [name, rows] of Object.entries(sizes.of)) {
      const each = Math.round(15 / sizes.every)
      t.diagnostic(`${name}, every 15 days: ${rows.filter((_, at) => at % each === 0).join(' ')}`)
    }
    assertPlateau(sizes, longestMemory)
  })
})
