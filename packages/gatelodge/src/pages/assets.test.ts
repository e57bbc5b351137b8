import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { assets, stylesheet } from './assets.ts'

test('the name of an asset changes with its content', () => {
  for (const asset of assets) {
    const hash = createHash('sha256').update(asset.body).digest('hex').slice(0, 16)
    assert.match(asset.path, new RegExp(`^/assets/[a-z]+\\.${hash}\\.(css|svg)$`))
  }
})

test('no asset loads anything', () => {
  for (const asset of assets) assert.doesNotMatch(asset.body.toString(), /url\(|@import|<script|href=/)
})

for (const scheme of ['light', 'dark'] as const) {
  test(`text in the ${scheme} scheme has the contrast of WCAG AA`, () => {
    const color = colors(scheme)
    const onSurfaces = ['text', 'muted', 'accent', 'accent-strong', 'get', 'post', 'put', 'delete'].flatMap((text) =>
      ['page', 'surface', 'sunken'].map((surface) => [text, surface] as const),
    )
    for (const [text, surface] of [...onSurfaces, ['on-accent', 'accent'], ['on-accent', 'accent-strong']] as const) {
      const ratio = contrast(color(text), color(surface))
      assert.ok(ratio >= 4.5, `${text} on ${surface}: ${ratio.toFixed(2)}`)
    }
  })
}

function colors(scheme: 'light' | 'dark'): (name: string) => string {
  const css = stylesheet.body.toString()
  const start = scheme === 'light' ? 0 : css.indexOf('prefers-color-scheme: dark')
  return (name) => {
    const value = new RegExp(`--${name}: (#[0-9a-f]{6});`).exec(css.slice(start))?.[1]
    assert.ok(value, name)
    return value
  }
}

function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a)
  return (light + 0.05) / (dark + 0.05)
}

// WCAG 2.2, relative luminance.
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((index) => {
    const part = Number.parseInt(color.slice(index, index + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
