import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createBoundedMap } from './bounded-map.ts'

test('keys that come in turn, one more than fit, are nearly always found', () => {
  const map = createBoundedMap<number, number>(100)
  let found = 0
  for (let turn = 0; turn < 101 * 100; turn += 1) {
    const key = turn % 101
    if (map.get(key) === undefined) map.set(key, key)
    else found += 1
  }
  assert.ok(found > 9_000, `${found} of 10,100`)
})

test('whatever is set and deleted: what was removed to make room is returned, and everything else is found', () => {
  const key = fc.nat(7)
  const step = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), key, value: fc.nat(), drawn: fc.nat(99) }),
    fc.record({ kind: fc.constant('delete' as const), key }),
    fc.record({ kind: fc.constant('clear' as const) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), (steps, capacity) => {
      let drawn = 0
      const map = createBoundedMap<number, number>(capacity, () => drawn)
      const model = new Map<number, number>()
      for (const one of steps) {
        if (one.kind === 'clear') map.clear()
        if (one.kind === 'clear') model.clear()
        if (one.kind === 'delete') map.delete(one.key)
        if (one.kind === 'delete') model.delete(one.key)
        if (one.kind === 'set') {
          const isFull = !model.has(one.key) && model.size === capacity
          drawn = one.drawn / 100
          const removed = map.set(one.key, one.value)
          assert.equal(removed !== undefined, isFull)
          for (const [held, value] of model)
            if (isFull && value === removed && map.get(held) === undefined) model.delete(held)
          model.set(one.key, one.value)
        }
        assert.equal(map.size, model.size)
        for (const [held, value] of model) assert.equal(map.get(held), value)
      }
    }),
  )
})
