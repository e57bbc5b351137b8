import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lossyOutput } from './lossy-output.ts'

/** Creates a fake system stream: it accepts `room` bytes, then writing fails with `code`. */
function stream() {
  const system = {
    passed: '',
    room: Number.POSITIVE_INFINITY,
    code: 'EAGAIN',
    write(_fd: number, bytes: Uint8Array): number {
      if (system.room === 0) throw Object.assign(new Error('write'), { code: system.code })
      const written = Math.min(system.room, bytes.length)
      system.room -= written
      system.passed += Buffer.from(bytes.subarray(0, written)).toString()
      return written
    },
  }
  return system
}

function outputTo(system: ReturnType<typeof stream>) {
  const counts: number[] = []
  const output = lossyOutput(
    2,
    (count) => {
      counts.push(count)
      output.write(`lost ${count}\n`)
    },
    // biome-ignore lint/suspicious/noExplicitAny: one of the overloads of fs.writeSync
    system.write as any,
  )
  return { output, counts }
}

test('text for a slow reader is buffered in order, up to a limit; the rest is dropped and counted when writing succeeds again', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const system = stream()
  const { output, counts } = outputTo(system)
  const line = (index: number) => `${String(index).padStart(9, '0')}\n`
  system.room = 25
  for (let index = 0; index < 150_000; index += 1) output.write(line(index))
  assert.equal(system.passed, `${line(0)}${line(1)}${line(2).slice(0, 5)}`)

  t.mock.timers.tick(1_000)
  assert.deepEqual(counts, [])
  system.room = Number.POSITIVE_INFINITY
  t.mock.timers.tick(1_000)
  const lines = system.passed.split('\n')
  const kept = lines.filter((text) => /^\d{9}$/.test(text))
  assert.deepEqual(
    kept,
    kept.map((_, index) => line(index).trimEnd()),
  )
  assert.ok(kept.length * 10 <= 1024 * 1024 + 40 && kept.length * 10 > 1024 * 1024 - 40, `${kept.length}`)
  assert.deepEqual(counts, [150_000 - kept.length])
  assert.deepEqual(lines.slice(kept.length), [`lost ${150_000 - kept.length}`, ''])

  output.write('again\n')
  assert.ok(system.passed.endsWith('again\n'))
  assert.equal(counts.length, 1)
})

test('nothing is buffered for a closed reader or a full disk, and a line that was cut off does not merge with the next', () => {
  for (const code of ['EPIPE', 'ECONNRESET', 'ENOSPC', 'EBADF', 'EIO', 'EFBIG', 'EDQUOT']) {
    const system = stream()
    const { output, counts } = outputTo(system)
    system.code = code
    system.room = 3
    for (const text of ['first\n', 'second\n', 'third\n']) output.write(text)
    assert.equal(system.passed, 'fir')
    assert.deepEqual(counts, [])

    system.room = Number.POSITIVE_INFINITY
    output.write('fourth\n')
    assert.equal(system.passed, 'fir\nfourth\nlost 3\n', code)
    assert.deepEqual(counts, [3])
  }
})

test('a text larger than the limit is written when nothing is buffered', () => {
  const system = stream()
  const { output } = outputTo(system)
  output.write(`${'x'.repeat(3 * 1024 * 1024)}\n`)
  assert.equal(system.passed.length, 3 * 1024 * 1024 + 1)
})
