import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { assets, stylesheet } from './assets.ts'
import { contrast } from './palette.ts'

test('the name of an asset changes with its content', () => {
  for (const asset of assets) {
    const hash = createHash('sha256').update(asset.body).digest('hex').slice(0, 16)
    assert.match(asset.path, new RegExp(`^/assets/[a-z]+\\.${hash}\\.(css|svg|js)$`))
  }
})

test('no asset loads anything', () => {
  for (const { body } of assets) assert.doesNotMatch(textOf(body), /url\(|@import|<script|href=/)
})

test('style sheets name sides by the direction of the text, so that they hold from right to left', () => {
  for (const { body } of assets.filter(({ path }) => path.endsWith('.css')))
    assert.doesNotMatch(
      textOf(body),
      /^\s*(?:left|right|(?:min-|max-)?(?:width|height)|(?:margin|padding|border)-(?:top|bottom|left|right)[\w-]*|[\w-]+: (?:left|right)\b)/m,
    )
})

test('style sheets name no colour but those of the palette and of initials', () => {
  const own = textOf(stylesheet.body).slice(textOf(stylesheet.body).indexOf('box-sizing'))
  const colors = [...own.matchAll(/#[0-9a-f]{3,8}\b/gi)].map(([color]) => color)
  const onWhite = [...own.matchAll(/\.initials-\d\s*\{\s*background: (#[0-9a-f]{6})/g)].map(([, color = '']) => color)
  assert.ok(onWhite.length >= 6)
  assert.deepEqual(
    colors.filter((color) => !onWhite.includes(color)),
    ['#ffffff'],
  )
  for (const color of onWhite) assert.ok(contrast('#ffffff', color) >= 4.5, color)
})

function textOf(body: Uint8Array): string {
  return Buffer.from(body).toString()
}
