import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { commandFolder } from '../../test/support/cli.ts'
import type { Io } from './io.ts'
import { createStatus, type Progress } from './progress.ts'

const half: Progress = { what: 'users', done: 50, total: 100, unit: 'rows' }
const bar = '[##########..........] 50% users: 50 of 100 rows'

interface Screen {
  readonly io: Io
  /** Moves the clock and runs the timers, then returns what has been written since. */
  after(ms: number): string[]
}

function screen(t: TestContext, { isTerminal = true, env = {} } = {}): Screen {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const written: string[] = []
  let now = 0
  const io: Io = {
    env,
    cwd: '/',
    now: () => now,
    stdin: async () => '',
    stdout: { write: () => assert.fail('standard output is for the result') },
    stderr: { write: (text) => void written.push(text) },
    isTerminal: { stdout: isTerminal, stderr: isTerminal },
    readFile: () => assert.fail(),
    onSignal() {},
    onCrash() {},
    exit: () => assert.fail(),
  }
  return {
    io,
    after(ms) {
      for (let passed = 0; passed < ms; passed += 100) {
        now += 100
        t.mock.timers.tick(100)
      }
      return written.splice(0)
    },
  }
}

test('on a terminal, work of more than a second shows that it goes on, and leaves nothing behind', (t) => {
  const { io, after } = screen(t)
  const status = createStatus(io, false)
  status.start()
  assert.deepEqual(after(900), [])
  assert.deepEqual(after(300), ['\r\x1b[K\\ Working', '\r\x1b[K| Working', '\r\x1b[K/ Working'])
  status.show(half)
  assert.deepEqual(after(0), [`\r\x1b[K- ${bar}`])
  status.stop()
  assert.deepEqual(after(2000), ['\r\x1b[K'])
})

test('a log line is not written into what is shown', (t) => {
  const { io, after } = screen(t)
  const status = createStatus(io, false)
  status.start()
  after(1000)
  status.stderr.write('a line\n')
  status.stderr.write('another\n')
  assert.deepEqual(after(100), ['\r\x1b[K', 'a line\n', 'another\n', '\r\x1b[K| Working'])
  status.stop()
})

test('work of less than a second shows nothing, nor does a pause count as work', (t) => {
  const { io, after } = screen(t)
  const status = createStatus(io, false)
  status.start()
  status.show(half)
  after(500)
  status.stop() // for a question
  assert.deepEqual(after(5000), [])
  status.start()
  assert.deepEqual(after(900), [])
  status.stop()
  assert.deepEqual(after(0), [])
})

test('without a terminal, only progress is written, line by line, once per second and at the end', (t) => {
  for (const options of [{ isTerminal: false }, { env: { TERM: 'dumb' } }]) {
    const { io, after } = screen(t, options)
    const status = createStatus(io, false)
    status.start()
    status.show(half)
    assert.deepEqual(after(1000), [])
    status.show(half)
    status.show({ ...half, done: 60 })
    status.show({ ...half, done: 100 })
    status.stop()
    assert.deepEqual(after(5000), ['users: 50 of 100 rows\n', 'users: 100 of 100 rows\n'])
    t.mock.timers.reset()
  }
})

test('with --json nothing is shown', (t) => {
  const { io, after } = screen(t)
  const status = createStatus(io, true)
  status.start()
  status.show(half)
  assert.deepEqual(after(5000), [])
})

test('a command that works on a terminal stops to show it before it prints its result', async () => {
  await using folder = commandFolder()
  let now = 0
  const isTerminal = { stdout: true, stderr: true }
  const slow = { isTerminal, now: () => (now += 2000) }
  assert.equal((await folder.run('user create --email ada@example.com --invite', slow)).status, 0)
  const { status, stdout, stderr } = await folder.run('copy --to sqlite:moved.db', slow)
  assert.equal(status, 0)
  assert.match(stdout, /^Copied /)
  assert.match(stderr, /\[#{20}\] 100% users: 1 of 1 rows/)
  assert.ok(stderr.endsWith('\r\x1b[K'))
})
