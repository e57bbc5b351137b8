import { test } from 'node:test'
import { forEachDatabase } from './support/app.ts'
import { assertPlateau, longestMemory, simulate } from './support/traffic.ts'

forEachDatabase('plateau', (engine) => {
  test('after the longest memory, 90 further days make no table and no file larger', async () => {
    const sizes = await simulate(engine, { days: longestMemory + 92, every: 5, members: 3 })
    assertPlateau(sizes, longestMemory)
  })
})
