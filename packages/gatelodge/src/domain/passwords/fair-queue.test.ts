import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createFairQueue, type FairQueue } from './fair-queue.ts'

function drain(queue: FairQueue<string>): string[] {
  return Array.from({ length: queue.size }, () => queue.shift() ?? '')
}

test('keys take turns, and each key keeps its order', () => {
  const queue = createFairQueue<string>(10)
  for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'c2']) assert.equal(queue.push(item.slice(0, 1), item), undefined)

  assert.equal(queue.size, 6)
  assert.deepEqual(drain(queue), ['a1', 'b1', 'c1', 'a2', 'c2', 'a3'])
  assert.equal(queue.shift(), undefined)
})

test('a full queue refuses the newcomer whose key has no fewer places than any other', () => {
  const queue = createFairQueue<string>(2)
  queue.push('a', 'a1')
  queue.push('b', 'b1')

  assert.equal(queue.push('a', 'a2'), 'a2')
  assert.equal(queue.push('c', 'c1'), 'c1')
  assert.deepEqual(drain(queue), ['a1', 'b1'])
})

test('a key that fills the queue loses its newest place to a key with fewer', () => {
  const queue = createFairQueue<string>(3)
  for (const item of ['a1', 'a2', 'a3']) queue.push('a', item)

  assert.equal(queue.push('b', 'b1'), 'a3')
  assert.equal(queue.push('b', 'b2'), 'b2')
  assert.deepEqual(drain(queue), ['a1', 'b1', 'a2'])
})

test('whatever the order of arrival, nothing is lost, doubled or kept beyond the capacity', () => {
  fc.assert(
    fc.property(
      fc.array(fc.option(fc.constantFrom('a', 'b', 'c'))),
      fc.integer({ min: 1, max: 5 }),
      (steps, capacity) => {
        const queue = createFairQueue<string>(capacity)
        const left: string[] = []
        steps.forEach((key, at) => {
          const out = key === null ? queue.shift() : queue.push(key, `${at}`)
          if (out !== undefined) left.push(out)
          assert.ok(queue.size <= capacity)
        })
        const pushed = steps.flatMap((key, at) => (key === null ? [] : [`${at}`]))
        assert.deepEqual([...left, ...drain(queue)].sort(), pushed.sort())
      },
    ),
    { seed: 1 },
  )
})
