import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('../src/', import.meta.url))
const patterns = ['kernel', 'domain', 'flows'].map((layer) => `${layer}/**/*.ts`)

test('files that no other test loads count in the coverage as well', async () => {
  const files = globSync(patterns, { cwd: source }).filter(
    (file) => !file.endsWith('.test.ts') && !file.endsWith('hash-worker.ts'),
  )
  assert.ok(files.length > 50)
  for (const file of files) await import(`../src/${file}`)
})
