import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isAuthError } from '../../kernel/errors.ts'
import { assertPasswordAllowed, type PasswordContext } from './policy.ts'

const ada: PasswordContext = {
  email: 'ada.byron@analytical-engines.example',
  username: 'countess',
  firstName: 'Augusta',
  lastName: 'Lovelace',
  serviceName: 'Tea House',
}

function faultOf(password: string, minLength = 8, context = ada): string | undefined {
  try {
    assertPasswordAllowed('new_password', password, minLength, context)
    return undefined
  } catch (error) {
    assert.ok(isAuthError(error, 'input_invalid'))
    assert.equal(error.faults[0]?.field, 'new_password')
    assert.ok(!error.faults[0]?.message.includes(password))
    return error.faults[0]?.code
  }
}

test('any mix of words, blanks, scripts and signs is allowed, without composition rules', () => {
  for (const password of [
    'quiet harbour 52',
    ' leading blank',
    'тихая гавань',
    '静かな港の朝の光',
    '😀🐎🔋📎🌊⛵🪨🌙',
    'aaaaaaab',
    '‎می\u200cخواهم',
  ]) {
    assert.equal(faultOf(password), undefined, password)
  }
})

test('length counts code points after NFC, and no setting goes below 6', () => {
  assert.equal(faultOf('qzxkvwj'), 'too_short')
  assert.equal(faultOf('qzxkvwjp'), undefined)
  assert.equal(faultOf('😀🐎🔋📎🌊⛵🪨'), 'too_short')
  assert.equal(faultOf('e\u0301o\u0301a\u0301u\u0301'), 'too_short')
  assert.equal(faultOf('qzxkv', 1), 'too_short')
  assert.equal(faultOf('qzxkvw', 1), undefined)
  assert.equal(faultOf('quiet harbour', 15), 'too_short')
})

test('1,024 code points are allowed, more are not, nor more than 4,096 bytes or what is slow to normalise', () => {
  const long = (unit: string, length: number) => `quiet harbour${unit.repeat(length - 13)}`
  assert.equal(faultOf(long('x', 1_024)), undefined)
  assert.equal(faultOf(long('x', 1_025)), 'too_long')
  assert.equal(faultOf(long('😀', 1_024)), undefined)
  assert.equal(faultOf(long('\u0316\u0301', 25_000)), 'too_long')
})

test('control characters, NUL and lone surrogates are rejected', () => {
  for (const character of ['\0', '\t', '\n', '\u007f', '\u0085', '\ud800', '\udfff']) {
    assert.equal(faultOf(`quiet${character}harbour`), 'characters')
  }
})

test('a common password is refused as a whole and in any case, not as a part', () => {
  assert.equal(faultOf('PassWord123'), 'too_common')
  assert.equal(faultOf('password of a quiet harbour'), undefined)
})

test('a name or address of the user or the service is refused as a whole, doubled or punctuated', () => {
  const own = [
    'Lovelace',
    'LOVELACE',
    'augusta',
    'Augusta Lovelace',
    'augusta.lovelace',
    'lovelace-augusta',
    'LovelaceLovelace',
  ]
  const accounts = [
    'countess',
    'CountessCountess',
    ada.email ?? '',
    'ada.byron',
    'adabyron',
    'analytical-engines.example',
    'Analytical Engines',
  ]
  for (const password of [...own, ...accounts, 'tea house', 'TeaHouseTeaHouse']) {
    assert.equal(faultOf(password, 6), 'contains_identity', password)
  }
  for (const password of ['Lovelace in 1843', 'countess of the quiet harbour', '-._ -._ !']) {
    assert.equal(faultOf(password, 6), undefined, password)
  }
})

test('unknown attributes of a user forbid nothing', () => {
  assert.equal(faultOf('quiet harbour', 8, { serviceName: '', username: null }), undefined)
  assert.equal(faultOf('-_._-. ._', 8, { serviceName: '', username: null }), undefined)
})

test('a rejection is always an input_invalid with one known code', () => {
  const codes = [undefined, 'characters', 'too_short', 'too_long', 'too_common', 'contains_identity']
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40, minLength: 1 }), (password) =>
      codes.includes(faultOf(`${password}\u2603`)),
    ),
    { numRuns: 200, seed: 1 },
  )
})
