import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { colorRules, contrast, type Palette, paletteOf, type Scheme } from './palette.ts'

const schemes = ['light', 'dark'] as const
const grounds = ['page', 'surface', 'sunken'] as const

for (const scheme of schemes) {
  test(`text in the ${scheme} scheme has the contrast of WCAG AA`, () => {
    assertReadable(paletteOf(scheme, null), scheme)
  })

  test(`fields and what they say in the ${scheme} scheme stand out from the ground`, () => {
    const palette = paletteOf(scheme, null)
    for (const ground of grounds) {
      // WCAG 2.2, 1.4.11: parts of controls need less contrast than text.
      for (const line of ['field-line', 'danger', 'accent'] as const)
        assert.ok(contrast(palette[line], palette[ground]) >= 3, `${line} on ${ground}`)
    }
  })
}

test('the contrast of known pairs is that of the standard', () => {
  assert.equal(contrast('#000000', '#ffffff'), 21)
  assert.equal(contrast('#777777', '#ffffff').toFixed(2), '4.48')
  assert.equal(contrast('#123456', '#123456'), 1)
})

test('a readable accent is used unchanged', () => {
  assert.equal(paletteOf('light', '#6b2fa0').accent, '#6b2fa0')
  assert.equal(paletteOf('dark', '#ffd76e').accent, '#ffd76e')
})

test('whatever accent an operator wishes, buttons and links can be read in both schemes', () => {
  const part = fc.integer({ min: 0, max: 255 })
  const color = fc
    .tuple(part, part, part)
    .map((parts) => `#${parts.map((value) => value.toString(16).padStart(2, '0')).join('')}`)
  fc.assert(
    fc.property(color, fc.constantFrom(...schemes), (accent, scheme) => {
      assertReadable(paletteOf(scheme, accent), `${scheme} ${accent}`)
    }),
    {
      examples: ['#ffff00', '#000000', '#ffffff', '#808080'].flatMap((accent) =>
        schemes.map((scheme) => [accent, scheme] as [string, Scheme]),
      ),
    },
  )
})

test('the rules of both schemes hold the colours as they are derived', () => {
  assert.equal(
    colorRules('#6b2fa0', ['accent']),
    `:root{--accent:#6b2fa0;}\n@media (prefers-color-scheme:dark){:root{--accent:${paletteOf('dark', '#6b2fa0').accent};}}\n`,
  )
})

function assertReadable(palette: Palette, name: string): void {
  const texts = ['text', 'muted', 'accent', 'accent-strong', 'danger', 'get', 'post', 'put', 'delete'] as const
  const pairs = [
    ...texts.flatMap((text) => grounds.map((ground) => [text, ground] as const)),
    ['on-accent', 'accent'],
    ['on-accent', 'accent-strong'],
    ['surface', 'danger'],
  ] as const
  for (const [text, ground] of pairs) {
    const ratio = contrast(palette[text], palette[ground])
    assert.ok(ratio >= 4.5, `${name}: ${text} on ${ground}: ${ratio.toFixed(2)}`)
  }
}
