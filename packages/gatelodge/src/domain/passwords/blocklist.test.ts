import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dictionary } from '@zxcvbn-ts/language-common'
import { settings } from '../../config/settings.ts'
import { isCommonPassword } from './blocklist.ts'

const common = dictionary['passwords-common']

test('every password of the dictionary is common, in any case', () => {
  const sample = common.filter((_, at) => at % 50 === 0)
  for (const password of sample) {
    assert.ok(isCommonPassword(password), password)
    assert.ok(isCommonPassword(password.toUpperCase()), password)
  }
})

test('at least 10,000 passwords are common', () => {
  const refused = common.slice(0, 10_000).filter(isCommonPassword)
  assert.ok(new Set(refused).size >= 10_000)
})

test('at least 3,000 entries have the default minimum length (ASVS v5.0.0-6.2.4)', () => {
  const long = common.filter((password) => [...password].length >= Number(settings.passwordMinLength.default))
  const refused = long.slice(0, 3_000).filter(isCommonPassword)
  assert.ok(new Set(refused).size >= 3_000)
})

test('passwords that users type when eight characters are required are common', () => {
  const words =
    'password,Password1,passw0rd,P@ssw0rd,P@$$w0rd,iloveyou,changeme,changeme123,welcome1,admin123,administrator,letmein!'
  const keys =
    '12345678,123456789,1234567890,987654321,0987654321,87654321,qwertyui,qwertyuiop,asdfghjk,abcdefgh,1q2w3e4r,1qaz2wsx'
  const repeats = '00000000,aaaaaaaa,éééééééé,12341234,abcabcabc,rootroot,TestTest,😀😀😀😀😀😀😀😀'
  for (const password of `${words},${keys},${repeats},correct horse battery staple`.split(',')) {
    assert.ok(isCommonPassword(password), password)
  }
})

test('only whole passwords count, not what they contain', () => {
  for (const password of [
    'my password is long',
    'password quiet harbour',
    'quiet harbour 52',
    '123456\npassword',
    'ord\npass',
  ]) {
    assert.equal(isCommonPassword(password), false, password)
  }
})
