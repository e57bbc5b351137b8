import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createFairQueue, type FairQueue } from './fair-queue.ts'

function drain(queue: FairQueue<string>): string[] {
  return Array.from({ length: queue.size }, () => queue.shift() ?? '')
}

/** Adds items, each named by its path, and returns those that were dropped. */
function pushAll(queue: FairQueue<string>, items: readonly string[]): (string | undefined)[] {
  return items.map((item) => queue.push(item.split('/').slice(0, -1), item))
}

test('lines take turns, and each line keeps its order', () => {
  const queue = createFairQueue<string>(10)
  pushAll(queue, ['a/1', 'a/2', 'a/3', 'b/1', 'c/1', 'c/2'])

  assert.equal(queue.size, 6)
  assert.deepEqual(drain(queue), ['a/1', 'b/1', 'c/1', 'a/2', 'c/2', 'a/3'])
  assert.equal(queue.shift(), undefined)
})

test('groups take turns at every level, however many lines each has', () => {
  const queue = createFairQueue<string>(20)
  pushAll(queue, ['big/1/a/1', 'big/1/b/1', 'big/1/c/1', 'big/2/a/1', 'big/2/a/2', 'small/1/a/1', 'small/1/a/2'])

  assert.deepEqual(drain(queue), [
    'big/1/a/1',
    'small/1/a/1',
    'big/2/a/1',
    'small/1/a/2',
    'big/1/b/1',
    'big/2/a/2',
    'big/1/c/1',
  ])
})

test('a full queue refuses the newcomer whose line has no fewer places than any other', () => {
  const queue = createFairQueue<string>(2)
  assert.deepEqual(pushAll(queue, ['a/1', 'b/1', 'a/2', 'c/1']), [undefined, undefined, 'a/2', 'c/1'])
  assert.deepEqual(drain(queue), ['a/1', 'b/1'])
})

test('a line that fills the queue loses its newest place to a line with fewer', () => {
  const queue = createFairQueue<string>(3)
  pushAll(queue, ['a/1', 'a/2', 'a/3'])

  assert.deepEqual(pushAll(queue, ['b/1', 'b/2']), ['a/3', 'b/2'])
  assert.deepEqual(drain(queue), ['a/1', 'b/1', 'a/2'])
})

test('a group that fills the queue from many lines loses places to a group with fewer', () => {
  for (const crowd of [
    Array.from({ length: 8 }, (_, at) => `big/1/${at}/1`),
    Array.from({ length: 8 }, (_, at) => `big/${at}/1/1`),
    Array.from({ length: 8 }, (_, at) => `big/${at % 3}/${at}/1`),
  ]) {
    const queue = createFairQueue<string>(8)
    pushAll(queue, crowd)

    const gone = pushAll(queue, ['small/1/1/1', 'small/1/2/1', 'small/2/1/1', 'other/1/1/1'])
    assert.ok(gone.every((item) => item?.startsWith('big/')))
    assert.equal(queue.waitingAt(['big']), 4)
    assert.match(queue.push(['big', '9', '9'], 'big/9/9/1') ?? '', /^big/)
  }
})

test('within the largest group the largest of its groups loses its newest', () => {
  const queue = createFairQueue<string>(7)
  pushAll(queue, ['a/1/1/1', 'a/2/1/1', 'a/2/2/1', 'a/2/2/2', 'b/1/1/1', 'b/1/1/2', 'b/1/1/3'])
  assert.equal(queue.push(['c', '1', '1'], 'c/1/1/1'), 'a/2/2/2')
})

test('a group says how many wait in it', () => {
  const queue = createFairQueue<string>(9)
  pushAll(queue, ['a/1/1', 'a/1/2', 'a/2/1'])
  assert.deepEqual(
    [['a'], ['a', '1'], ['a', '3'], ['b'], ['b', '1']].map((path) => queue.waitingAt(path)),
    [3, 2, 0, 0, 0],
  )
  drain(queue)
  assert.equal(queue.waitingAt(['a']), 0)
})

test('whatever the order of arrival, nothing is lost, doubled or kept beyond the capacity', () => {
  const path = fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('a', 'b'), fc.constantFrom('a', 'b'))
  fc.assert(
    fc.property(fc.array(fc.option(path)), fc.integer({ min: 1, max: 5 }), (steps, capacity) => {
      const queue = createFairQueue<string>(capacity)
      const left: string[] = []
      steps.forEach((where, at) => {
        const out = where === null ? queue.shift() : queue.push(where, `${at}`)
        if (out !== undefined) left.push(out)
        assert.ok(queue.size <= capacity)
      })
      const pushed = steps.flatMap((where, at) => (where === null ? [] : [`${at}`]))
      assert.deepEqual([...left, ...drain(queue)].sort(), pushed.sort())
    }),
    { seed: 1 },
  )
})
