import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

/** Faults that no assertion of a test sees. */
const late = {
  'an error in a timer': "setTimeout(() => { throw new Error('uncaught') }, 1)",
  'an error in a timer, behind an await': "await null; setTimeout(() => { throw new Error('uncaught') }, 1)",
  'a rejection that nothing handles': "Promise.reject(new Error('uncaught'))",
  'a rejection that nothing handles, of a function': "(async () => { await null; throw new Error('uncaught') })()",
}

test('an error outside the assertions of a test fails its file, and the output says where it was thrown', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gatelodge-late-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const run = (statement: string) => {
    const file = join(folder, 'late.test.mjs')
    const pause = 'await new Promise((resolve) => setTimeout(resolve, 20))'
    writeFileSync(file, `import { test } from 'node:test'\ntest('one', async () => {\n${statement}\n${pause}\n})\n`)
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const loadsFirst = `--import=${import.meta.resolve('./test-process.ts')}`
    const { status, stderr } = spawnSync(process.execPath, [loadsFirst, file], { env, encoding: 'utf8' })
    return { status, stderr }
  }

  assert.equal(run('').status, 0)
  for (const [name, statement] of Object.entries(late)) {
    const { status, stderr } = run(statement)
    assert.equal(status, 1, name)
    assert.match(stderr, /Error: uncaught\n.* at .*late\.test\.mjs:3/, name)
  }
})
