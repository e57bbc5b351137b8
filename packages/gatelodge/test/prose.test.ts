import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { projectFiles, projectRoot } from './support/project-files.ts'

// Rule 16 of STYLE.md. The phrases below have no legitimate use in this project: each has a usual replacement.

const phrases: Readonly<Record<string, string>> = {
  whoever: 'name the actor, or "anyone who"',
  whomever: 'name the actor',
  somebody: 'name the actor, or "someone"',
  nobody: 'name the actor, or "no user", "no one"',
  anew: 'again',
  beside: 'next to',
  'of yours': 'your',
  'of ours': 'our',
  'of theirs': 'their',
  'that is none': 'say what it is',
  'in place of': 'instead of',
  'in the place of': 'instead of',
  'as it stands': 'unchanged',
  'as they stand': 'unchanged',
  'e-mail': 'email',
  'e-mails': 'emails',
  'take back': 'undo, revoke, restore',
  'takes back': 'undoes, revokes, restores',
  'taken back': 'undone, revoked, restored',
  'gets past': 'bypasses',
  'lets in': 'admits',
  'hands on': 'passes on',
}

/** What people read, and the names in the code. */
const isRead = /\.(?:md|[cm]?[jt]s|svelte|html|css|conf|sql)$|^docs\/.+\.json$|^\.(?:ci|githooks)\//
/**
 * The texts of pages and emails, which have their own rules in each language (`words.test.ts`), the text of a standard, this list, reserved usernames, and an
 * answer whose wording clients rely on.
 */
const isExempt =
  /\/messages\.ts$|\/words\/|\/asvs-items\.json$|\/prose\.test\.ts$|\/official-names\.ts$|\/resend-verification\.ts$/

test('documents, comments, names and messages use none of the phrases that do not read as English', () => {
  const files = projectFiles().filter((name) => isRead.test(name) && !isExempt.test(name))
  assert.ok(files.length > 700)
  assert.deepEqual(files.flatMap(lapsesIn), [])
})

test('a phrase is found across the lines of a comment, and not in a longer word or an address', () => {
  const find = (text: string) => [...text.matchAll(lapse)].map(([found]) => found)
  assert.deepEqual(find('Whoever asks gets it\n * in\n * place of it.'), ['Whoever', 'in\n * place of'])
  assert.deepEqual(find('besides, nobody@example.com, foundNobody'), [])
})

/** The phrases as one pattern. A line may end between two words, and the next may begin with the mark of a comment or a quotation. */
const lapse = new RegExp(
  `(?<![\\w-])(?:${Object.keys(phrases).join('|').replaceAll(' ', String.raw`\s+(?:(?:\*|//|#|>)\s+)?`)})(?![\\w@$-])`,
  'gi',
)

/** Returns the place of each phrase in a file, with its replacement. */
function lapsesIn(file: string): string[] {
  const text = readFileSync(projectRoot + file, 'utf8')
  return [...text.matchAll(lapse)].map(({ 0: found, index }) => {
    const phrase = found.toLowerCase().replace(/[^a-z-]+/g, ' ')
    return `${file}:${text.slice(0, index).split('\n').length}: "${phrase}": ${phrases[phrase]}`
  })
}
