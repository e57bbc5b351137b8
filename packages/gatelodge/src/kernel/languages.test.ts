import assert from 'node:assert/strict'
import { test } from 'node:test'
import { directionOf, languageNames, languageOf, languages, localeOf, negotiateLanguage } from './languages.ts'

test('a tag is matched by its primary subtag, whatever its case and region; unsupported and broken tags match no language', () => {
  for (const tag of ['de', 'DE', 'de-AT', 'de-Latn-CH-1996', 'de-x-private']) assert.equal(languageOf(tag), 'de', tag)
  const foreign = ['', 'ja', 'deu', 'de_AT', 'd', 'e', '-de', 'constructor', 'toString', '__proto__', ' de', 'дe']
  for (const tag of [...foreign, null, undefined]) assert.equal(languageOf(tag), undefined, String(tag))
})

test('the user’s preferred supported language wins, by weight, then by order', () => {
  const wishes = {
    fr: 'fr',
    'fr-CA, en;q=0.8': 'fr',
    'en;q=0.5, ar;q=0.9': 'ar',
    'ja, es;q=0.1': 'es',
    'de;q=0.7, es;q=0.7': 'de',
    'en;q=0, fr;q=0.001': 'fr',
    'en;q=.8, fr;q=.9': 'fr',
    'EN-gb;Q=0.3,DE;Q=0.4': 'de',
    'es ; q=0.9 , en ; q=0.8': 'es',
    'ar;level=1;q=0.2, fr;q=0.1': 'ar',
  }
  for (const [header, language] of Object.entries(wishes)) assert.equal(negotiateLanguage(header), language, header)
})

test('a header without a supported language selects none', () => {
  for (const header of [undefined, '', '*', 'ja', 'ja, zh;q=0.5', 'en;q=0', 'fr;q=nonsense', ',,,', ';q=1', 'q=1']) {
    assert.equal(negotiateLanguage(header), undefined, String(header))
  }
})

test('a hostile header costs no time and selects only supported languages', () => {
  const hostile = [
    ','.repeat(100_000),
    ';'.repeat(100_000),
    ' '.repeat(100_000),
    `en${';q=1'.repeat(50_000)}`,
    `${'x'.repeat(100_000)},de`,
    'en;q=1e999',
    'en;q=-1',
    '../../etc/passwd',
    '<script>alert(1)</script>',
    '__proto__, constructor;q=0.9, hasOwnProperty;q=0.8',
    '\u0000\r\nen',
  ]
  const begun = process.hrtime.bigint()
  for (const header of hostile) {
    const language = negotiateLanguage(header)
    assert.ok(language === undefined || languages.includes(language), header.slice(0, 40))
  }
  assert.ok(process.hrtime.bigint() - begun < 500_000_000n)
  assert.equal(negotiateLanguage(`${'x,'.repeat(250)}de`), undefined) // anything after 500 characters is ignored
})

test('every language has a name, a direction and a locale that Intl supports', () => {
  for (const language of languages) {
    assert.ok(languageNames[language].length > 0)
    assert.equal(directionOf(language), language === 'ar' ? 'rtl' : 'ltr')
    assert.deepEqual(Intl.DateTimeFormat.supportedLocalesOf(localeOf(language)), [localeOf(language)])
  }
})
