import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { bin } from '../../test/support/cli.ts'

const { complaint }: { complaint: (version: string, isCheckout: boolean) => string | undefined } = createRequire(
  import.meta.url,
)(bin)

test('an old Node exits with one line that says which version is required, in a checkout and when installed', () => {
  for (const version of ['12.22.12', '20.20.2', '24.11.9']) {
    for (const isCheckout of [true, false]) {
      assert.match(
        complaint(version, isCheckout) ?? '',
        /^Gatelodge requires Node\.js 24\.12 or newer, but this is [\d.]+\. .+$/,
      )
    }
    assert.match(complaint(version, true) ?? '', /npm start/)
  }
  for (const version of ['24.12.0', '26.10.0', '100.0.0']) assert.equal(complaint(version, true), undefined)
})

test('the program can be run by its file, and with an old Node on the machine it exits with one line and status 1', () => {
  const ran = spawnSync(process.execPath, [bin, '--version'], { encoding: 'utf8' })
  assert.deepEqual([ran.status, ran.stderr], [0, ''])

  const ofMachine = '/usr/bin/node'
  const version = existsSync(ofMachine)
    ? spawnSync(ofMachine, ['--version'], { encoding: 'utf8' }).stdout.trim().slice(1)
    : ''
  const expected = version === '' ? undefined : complaint(version, true)
  if (expected === undefined) return

  const refused = spawnSync(ofMachine, [bin, 'serve'], { encoding: 'utf8' })
  assert.deepEqual([refused.status, refused.stdout, refused.stderr], [1, '', `${expected}\n`])
})
