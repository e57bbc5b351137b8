import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPlainText } from './text.ts'

test('names of every script, spaces, emoji and direction marks are plain text', () => {
  for (const text of ['', 'Ada Lovelace', 'Zoë', '山田太郎', 'محمد', '👩🏽‍💻', 'a\u200eb\u200fc', 'می\u200cخواهم']) {
    assert.equal(isPlainText(text), true, JSON.stringify(text))
  }
})

test('control characters, separators, bidi overrides, isolates and lone surrogates are not', () => {
  const refused = ['\u0000', '\t', '\n', '\r', '\u001b', '\u007f', '\u0085', '\u009f', '\u2028', '\u2029']
  const bidi = ['\u202a', '\u202b', '\u202c', '\u202d', '\u202e', '\u2066', '\u2067', '\u2068', '\u2069']
  for (const character of [...refused, ...bidi, '\ud800', '\udc00', '\udc00\ud800']) {
    assert.equal(isPlainText(`a${character}b`), false, JSON.stringify(character))
  }
})
