import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { test } from 'node:test'
import { languages } from '../src/kernel/languages.ts'
import { pageWords } from '../src/pages/words/index.ts'

const source = new URL('../src/', import.meta.url).pathname

/** Texts that are legitimately the same as in English, by language. */
const same: Readonly<Record<string, readonly string[]>> = {
  fr: [],
  de: ['Name'],
  es: [],
  ar: [],
}
/** Words that exist only in English. */
const english = /(?<!\p{L})(?:the|and|you|your|with|is|are|this|it|of|to|have|please|sign|password|account)(?!\p{L})/iu
/** Latin text that is allowed in Arabic. */
const latin = /\b(?:API|IP|PNG|JPEG|WebP|AVIF|JSON|GitHub|MiB|MB|YYYY-MM-DD|https?)\b|⟦\d⟧/g

const tables = [['pages', pageWords] as const, ...(await tablesOfFlows())]

test('every flow that speaks to people has a table with a file for each language', () => {
  for (const language of languages.filter((language) => language !== 'en')) {
    const flows = globSync(`flows/*/words/${language}.ts`, { cwd: source }).map((file) => file.split('/')[1])
    assert.deepEqual(['pages', ...flows].sort(), tables.map(([name]) => name).sort())
  }
})

for (const [name, table] of tables) {
  const texts = Object.fromEntries(languages.map((language) => [language, textsOf(table[language])]))

  for (const language of languages.filter((language) => language !== 'en')) {
    test(`the words of ${name} in ${language} are none of the English ones, and use the same values`, () => {
      assert.deepEqual(Object.keys(texts[language] ?? {}).sort(), Object.keys(texts.en ?? {}).sort())
      for (const [key, text] of Object.entries(texts[language] ?? {})) {
        const original = texts.en?.[key] ?? ''
        assert.ok(text.trim() === text && text.length > 0, key)
        assert.ok(text !== original || same[language]?.includes(text), `${key}: ${text}`)
        assert.deepEqual(valuesIn(text), valuesIn(original), key)
        assert.doesNotMatch(text, english, key)
        if (language === 'ar') assert.doesNotMatch(text.replace(latin, ''), /[a-z]/i, key)
        assert.doesNotMatch(text, /[\u202a-\u202e\u2066-\u2069]/, key)
      }
    })
  }
}

/** Returns every table of texts in `flows/<flow>/words/index.ts`, recognised by having all languages. */
async function tablesOfFlows() {
  const found: (readonly [string, Readonly<Record<string, unknown>>])[] = []
  for (const file of globSync('flows/*/words/index.ts', { cwd: source }).sort()) {
    const module: Readonly<Record<string, unknown>> = await import(`${source}${file}`)
    for (const value of Object.values(module)) {
      if (isTable(value)) found.push([file.split('/')[1] ?? file, value])
    }
  }
  return found
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && languages.every((language) => language in value)
}

/** Returns the texts by path. A text with values shows where each of them appears. */
function textsOf(words: unknown, path = ''): Record<string, string> {
  if (typeof words === 'string') return { [path]: words }
  if (typeof words === 'function')
    return { [path]: String(words(...[...Array(words.length).keys()].map((n) => `⟦${n}⟧`))) }
  return Object.assign(
    {},
    ...Object.entries(words as object).map(([key, value]) => textsOf(value, path === '' ? key : `${path}.${key}`)),
  )
}

function valuesIn(text: string): readonly string[] {
  return [...new Set(text.match(/⟦\d⟧/g))].sort()
}
