import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { projectRoot } from './support/project-files.ts'

const run = promisify(execFile)

/** Copies the package into a checkout of its own, where nothing has run yet. */
function checkout() {
  const folder = mkdtempSync(join(tmpdir(), 'gatelodge-checkout-'))
  const own = join(folder, 'packages/gatelodge')
  for (const part of ['package.json', 'bin', 'scripts', 'src'])
    cpSync(join(projectRoot, 'packages/gatelodge', part), join(own, part), { recursive: true })
  symlinkSync(join(projectRoot, 'node_modules'), join(folder, 'node_modules'))
  const cache = join(own, 'node_modules/.cache/gatelodge')
  return {
    cache,
    /** Returns the version that the program prints. */
    async version(env: Readonly<Record<string, string>> = {}): Promise<string> {
      const { stdout, stderr } = await run(process.execPath, [join(own, 'bin/gatelodge.js'), '--version'], {
        env: { ...process.env, ...env },
      })
      assert.equal(stderr, '')
      return stdout.trim()
    },
    /** Makes the source print another version. */
    change(version: string): void {
      writeFileSync(join(own, 'src/kernel/version.ts'), `export const version: string = '${version}'\n`)
    },
    builds: () => readdirSync(cache).filter((name) => !name.startsWith('v')), // Node.js names its compile caches by version
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

test('a checkout builds its program once, and again when its source has changed', async () => {
  using place = checkout()
  await place.version()
  const [first = ''] = place.builds()
  const { mtimeMs } = statSync(join(place.cache, first, 'main.js'))
  await place.version()
  assert.deepEqual(place.builds(), [first])
  assert.equal(statSync(join(place.cache, first, 'main.js')).mtimeMs, mtimeMs)

  place.change('1.2.3')
  assert.equal(await place.version(), '1.2.3')
  assert.equal(place.builds().length, 2)
})

test('programs that start at once in a new checkout all run, and leave one build', async () => {
  using place = checkout()
  place.change('1.2.3')
  const versions = await Promise.all(Array.from({ length: 5 }, () => place.version()))
  assert.deepEqual(versions, Array(5).fill('1.2.3'))
  assert.equal(place.builds().length, 1)
})

test('the three newest builds are kept', async () => {
  using place = checkout()
  for (const version of ['1.0.0', '2.0.0', '3.0.0', '4.0.0']) {
    place.change(version)
    assert.equal(await place.version(), version)
  }
  assert.equal(place.builds().length, 3)
  assert.equal(await place.version(), '4.0.0')
})

test('the source itself runs where nothing can be built, and where its coverage is counted or its files are watched', async () => {
  using place = checkout()
  place.change('1.2.3')
  for (const env of [{ NODE_V8_COVERAGE: join(place.cache, 'v8') }, { WATCH_REPORT_DEPENDENCIES: '1' }]) {
    assert.equal(await place.version(env), '1.2.3')
    assert.deepEqual(place.builds(), [])
  }

  rmSync(place.cache, { recursive: true })
  mkdirSync(join(place.cache, '..'), { recursive: true })
  writeFileSync(place.cache, 'a file where the folder should be')
  assert.equal(await place.version(), '1.2.3')
})

test('a fault in the source is reported by the source, and by the next command again', async () => {
  using place = checkout()
  appendFileSync(join(place.cache, '../../../src/main.ts'), '\nthis is no program\n')
  for (let turn = 0; turn < 2; turn += 1) await assert.rejects(place.version(), /SyntaxError|main\.ts/)
})
