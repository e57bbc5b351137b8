import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UserId } from '../../kernel/ids.ts'
import { initialsColours, initialsOf } from './initials.ts'

const account = {
  id: '01a1f86a-a0e0-7006-9c59-cef1c2c93b1e' as UserId,
  firstName: '',
  lastName: '',
  username: null,
  email: 'zoe@example.com',
}

test('initials are of the names, else of the username, else of the address', () => {
  for (const [names, text] of [
    [{ firstName: 'Ada', lastName: 'King' }, 'AK'],
    [{ lastName: 'King', username: 'ada' }, 'K'],
    [{ username: 'ada' }, 'A'],
    [{}, 'Z'],
    [{ firstName: ' étienne' }, 'É'],
    [{ firstName: 'e\u0301mile' }, 'E\u0301'],
    [{ firstName: 'ليلى', lastName: '张' }, 'ل张'],
    [{ firstName: '👩‍🚀 x' }, '👩‍🚀'],
    [{ firstName: ' ' }, ''],
  ] as const) {
    assert.equal(initialsOf({ ...account, ...names }).text, text)
  }
})

test('the colour stays with the account whatever its name becomes, and every colour is used', () => {
  const colourOf = (id: string, firstName = '') => initialsOf({ ...account, id: id as UserId, firstName }).colour
  assert.equal(colourOf('c93b1e', 'Ada'), colourOf('c93b1e', 'Eve'))
  const colours = new Set(Array.from({ length: 200 }, (_, index) => colourOf(`0000${index.toString(16)}`)))
  assert.deepEqual(
    [...colours].sort(),
    Array.from({ length: initialsColours }, (_, index) => index),
  )
})
