import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  existsSync,
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
  const builds = join(own, 'build')
  return {
    own,
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
    /** Returns the paths of all builds, finished or not. */
    builds: () => (existsSync(builds) ? readdirSync(builds).map((name) => join(builds, name)) : []),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

test('a checkout builds its program once, and again when its source has changed', async () => {
  using place = checkout()
  await place.version()
  const [first = ''] = place.builds()
  const { mtimeMs } = statSync(join(first, 'main.js'))
  await place.version()
  assert.deepEqual(place.builds(), [first])
  assert.equal(statSync(join(first, 'main.js')).mtimeMs, mtimeMs)

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

test('the three newest builds are kept, and each that a process runs', async () => {
  using place = checkout()
  await place.version()
  const [running = ''] = place.builds()
  writeFileSync(join(running, `running-${process.pid}`), '')
  for (const version of ['1.0.0', '2.0.0', '3.0.0', '4.0.0']) {
    place.change(version)
    assert.equal(await place.version(), version)
  }
  assert.equal(place.builds().length, 4)
  assert.ok(place.builds().includes(running))
  assert.equal(await place.version(), '4.0.0')
})

test('a build that lost a file or a part of one is built again', async () => {
  using place = checkout()
  place.change('1.2.3')
  await place.version()
  const [build = ''] = place.builds()
  const damages = [
    () => writeFileSync(join(build, 'main.js'), ''),
    () => rmSync(join(build, 'hash-worker.js')),
    () => rmSync(join(build, 'files.json')),
  ]
  for (const damage of damages) {
    damage()
    assert.equal(await place.version(), '1.2.3')
    assert.ok(existsSync(join(build, 'hash-worker.js')))
    assert.deepEqual(place.builds(), [build])
  }
})

test('a linked file of the source counts like any other', async () => {
  using place = checkout()
  const [file, elsewhere] = [join(place.own, 'src/kernel/version.ts'), join(place.own, 'elsewhere.ts')]
  rmSync(file)
  symlinkSync(elsewhere, file)
  for (const version of ['1.2.3', '1.2.30']) {
    writeFileSync(elsewhere, `export const version: string = '${version}'\n`)
    assert.equal(await place.version(), version)
  }
})

test('the source itself runs where nothing can be built, and where its coverage is counted or its files are watched', async () => {
  using place = checkout()
  place.change('1.2.3')
  for (const env of [{ NODE_V8_COVERAGE: join(place.own, 'v8') }, { WATCH_REPORT_DEPENDENCIES: '1' }]) {
    assert.equal(await place.version(env), '1.2.3')
    assert.deepEqual(place.builds(), [])
  }

  writeFileSync(join(place.own, 'build'), 'a file where the folder should be')
  assert.equal(await place.version(), '1.2.3')
})

test('a fault in the source is reported by the source, and by the next command again', async () => {
  using place = checkout()
  appendFileSync(join(place.own, 'src/main.ts'), '\nthis is no program\n')
  for (let turn = 0; turn < 2; turn += 1) await assert.rejects(place.version(), /SyntaxError|main\.ts/)
})
