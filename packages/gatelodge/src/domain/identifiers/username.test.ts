import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isAuthError } from '../../kernel/errors.ts'
import { normaliseUsername, parseUsername } from './username.ts'

function faultOf(text: string): string | undefined {
  try {
    parseUsername('username', text)
    return undefined
  } catch (error) {
    assert.ok(isAuthError(error, 'input_invalid'))
    assert.equal(error.faults[0]?.field, 'username')
    return error.faults[0]?.code
  }
}

test('a username has one canonical form, whatever its case, composition and surrounding spaces', () => {
  assert.equal(normaliseUsername('Ada.Lovelace_1-x'), 'ada.lovelace_1-x')
  assert.equal(normaliseUsername(' ada '), 'ada')
  assert.equal(normaliseUsername('ZOE\u0308'), 'zoë')
  assert.equal(normaliseUsername('zoë'), 'zoë')
  assert.equal(parseUsername('username', '123'), '123')
})

test('names of the scripts people write are accepted', () => {
  const names = [
    'иван_7',
    'Ωμέγα',
    'משה-כהן',
    'محمد٢',
    'राजेश',
    'สมชาย',
    'やまだ太郎',
    'ラーメン',
    '김철수',
    '王小明',
    'ıŞık',
    'Առա',
  ]
  for (const name of names) assert.equal(faultOf(name), undefined, name)
})

test('length is counted in code points of the canonical form, 3 to 64', () => {
  assert.equal(faultOf(''), 'too_short')
  assert.equal(faultOf('ab'), 'too_short')
  assert.equal(faultOf('e\u0301e\u0301'), 'too_short')
  assert.equal(faultOf('𠮷𠮷𠮷'), undefined)
  assert.equal(faultOf('𠮷𠮷'), 'too_short')
  assert.equal(faultOf('a'.repeat(64)), undefined)
  assert.equal(faultOf('a'.repeat(65)), 'too_long')
  assert.equal(faultOf('\u0316\u0301'.repeat(25_000)), 'too_long')
})

test('a name that shadows an address, hides a character or looks like another name is refused', () => {
  const signs = ['ada@example', 'a da', 'a/da', "a'da", 'ada!', 'ada😀', '.ada', 'ada_', '-ada', '___']
  const hidden = [
    'a\u200bda',
    'a\u00adda',
    'ada\u202e',
    'a\u034fda',
    'a\ufe0fda',
    'a\tda',
    'ada\n',
    'a\0da',
    'ada\ud800',
    '가\u3164나',
  ]
  const alike = [
    'ａda',
    'ﬁsh',
    'ada²',
    'аda',
    'adα',
    'ada٣',
    'İbrahim',
    'i\u0307van',
    'a\u0335da',
    '한グル',
    'ада\u0301д',
  ]
  for (const name of [...signs, ...hidden, ...alike]) assert.equal(faultOf(name), 'characters', JSON.stringify(name))
})

test('a canonical form is its own canonical form, and no text throws', () => {
  const unit = fc.constantFrom(...'aZ09._-@ΣσςßİıжБñ例カ한K ', '\u0301', '\u0307', '\u03f4', 'ǅ', 'ﬀ')
  const texts = fc.oneof(
    fc.string({ unit: 'binary', minLength: 2 }),
    fc.string({ unit, minLength: 2 }),
    fc.stringMatching(/^[\p{L}\p{N}]{3,20}$/u),
  )
  fc.assert(
    fc.property(texts, (text) => {
      const name = normaliseUsername(text)
      if (name !== undefined) assert.equal(normaliseUsername(name), name)
    }),
    { numRuns: 3_000, seed: 1 },
  )
})

test('a username never contains what splits or forges an identifier', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 3, maxLength: 6 }), (text) => {
      assert.doesNotMatch(normaliseUsername(text) ?? '', /[@\s\p{C}]/u)
    }),
    { numRuns: 3_000, seed: 1 },
  )
})
