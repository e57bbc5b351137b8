import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('generate.ts', import.meta.url))
const generate = (...args: string[]) => spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' })

test('the generated files are current', () => {
  const { status, stderr } = generate('--check')
  assert.equal(stderr, '')
  assert.equal(status, 0)
})

test('an unknown argument is a usage error, and nothing is written', () => {
  assert.equal(generate('--chek').status, 2)
  assert.equal(generate('--check', '--check').status, 2)
})
