import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { forEachDatabase, testApp } from '../../test/support/app.ts'
import { Visitor } from '../../test/support/visitor.ts'
import { AuthError } from '../kernel/errors.ts'
import { languages } from '../kernel/languages.ts'
import { stylesheet } from './assets.ts'
import { paletteOf } from './palette.ts'
import { loadTheme } from './theme.ts'
import { pageWords } from './words/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'gatelodge-theme-'))
after(() => rmSync(folder, { recursive: true }))

const plain = { serviceName: 'Acme', accent: null, themeCss: null, logo: null, termsUrl: null, privacyUrl: null }
const svg = '<?xml version="1.0"?>\n<!-- mark -->\n<svg xmlns="http://www.w3.org/2000/svg"/>'
const png = Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), Buffer.alloc(50)])

function file(name: string, content: string | Buffer): string {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

function isRefused(field: string, message: RegExp) {
  return (error: unknown) =>
    error instanceof AuthError &&
    error.code === 'config_invalid' &&
    error.faults[0]?.field === field &&
    message.test(error.faults[0].message)
}

forEachDatabase('look of pages and mails', (engine) => {
  test('every page loads what the operator put on it, from our own origin and under a name by content', async () => {
    const env = {
      GATELODGE_SERVICE_NAME: 'Acme',
      GATELODGE_ACCENT: '#FFCC00',
      GATELODGE_THEME_CSS: file('theme.css', ':root { --radius: 0 }'),
      GATELODGE_LOGO: file('logo.svg', svg),
      GATELODGE_TERMS_URL: 'https://acme.example/terms?v=1&l=2',
      GATELODGE_PRIVACY_URL: 'https://acme.example/privacy',
    }
    await using app = await testApp({ engine, env })
    const { sheet, logo } = app.deps.theme
    assert.ok(sheet && logo)
    for (const path of ['/login', '/register', '/nowhere', '/docs']) {
      const { html } = await new Visitor(app).get(path)
      assert.ok(html.includes(`href="${sheet.path}"`), path)
      assert.ok(html.includes(`<img src="${logo.path}"`), path)
      assert.ok(html.includes(`<link rel="icon" type="image/svg+xml" href="${logo.path}">`), path)
    }

    const css = await app.get(sheet.path)
    assert.equal(css.headers.get('content-type'), 'text/css; charset=utf-8')
    assert.match(css.text, /:root \{ --radius: 0 \}$/)
    assert.ok(css.text.includes(`--accent:${paletteOf('light', '#ffcc00').accent};`))
    assert.ok(css.text.includes(`--accent:${paletteOf('dark', '#ffcc00').accent};`))
    assert.equal((await app.get(logo.path)).headers.get('content-type'), 'image/svg+xml')
  })

  test('terms and privacy are linked on every page, and before a sign-up in every language', async () => {
    const env = {
      GATELODGE_TERMS_URL: 'https://acme.example/terms',
      GATELODGE_PRIVACY_URL: 'https://acme.example/?p=1&q',
    }
    await using app = await testApp({ engine, env })
    for (const language of languages) {
      const visitor = new Visitor(app, { 'accept-language': language })
      const { terms, privacy, readFirst } = pageWords[language].layout
      const links = `<a href="https://acme.example/terms">${terms}</a> <a href="https://acme.example/?p=1&#38;q">${privacy}</a>`
      assert.equal((await visitor.get('/login')).html.split(links).length, 2)
      const { html } = await visitor.get('/register')
      assert.equal(html.split(links).length, 3)
      assert.ok(html.includes(readFirst))
    }

    await using without = await testApp({ engine })
    assert.doesNotMatch((await new Visitor(without).get('/register')).html, /class="legal"/)
  })

  test('mails take the accent, and the dark one in the dark', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_ACCENT: '#ffcc00' } })
    await app.post('/forgot-password', { email: 'ada@example.com' })
    await app.user({ email: 'ada@example.com' })
    const { html } = await app.lastMail('ada@example.com')
    assert.ok(html.includes(`.button { background-color: ${paletteOf('dark', '#ffcc00').accent} !important`))
    assert.ok(html.includes(`background-color:${paletteOf('light', '#ffcc00').accent};`))
  })
})

test('a theme that would load something from elsewhere is rejected at start', () => {
  const refused = [
    '@import "https://evil.test/a.css";',
    '@IMPORT url(data:text/css,x);',
    'a { background: url(https://evil.test/a.png) }',
    "a { background: url( 'http://evil.test' ) }",
    'a { background: URL("//evil.test/a") }',
    'a { background: url(/assets/a.png) }',
  ]
  for (const css of refused) {
    const themeCss = file('bad.css', css)
    assert.throws(
      () => loadTheme({ ...plain, themeCss }),
      isRefused('GATELODGE_THEME_CSS', /must not load anything/),
      css,
    )
  }
  for (const css of ['a { background: url("data:image/png;base64,AA==") }', '/* url(x) */ b { fill: url(#id) }'])
    assert.ok(loadTheme({ ...plain, themeCss: file('good.css', css) }).sheet, css)
})

test('a theme file that is missing, too large or of the wrong type is rejected at start', () => {
  const refused = [
    ['themeCss', 'GATELODGE_THEME_CSS', join(folder, 'none.css'), /cannot be read/],
    ['themeCss', 'GATELODGE_THEME_CSS', folder, /cannot be read/],
    ['themeCss', 'GATELODGE_THEME_CSS', file('large.css', ' '.repeat(65_537)), /at most 64 KiB/],
    ['themeCss', 'GATELODGE_THEME_CSS', file('latin.css', Buffer.from([0xe9])), /UTF-8/],
    ['logo', 'GATELODGE_LOGO', join(folder, 'none.svg'), /cannot be read/],
    ['logo', 'GATELODGE_LOGO', file('page.svg', '<!doctype html><svg>'), /SVG or PNG/],
    ['logo', 'GATELODGE_LOGO', file('photo.png', Buffer.from([0xff, 0xd8, 0xff])), /SVG or PNG/],
  ] as const
  for (const [key, field, path, message] of refused)
    assert.throws(() => loadTheme({ ...plain, [key]: path }), isRefused(field, message), path)
})

test('a PNG logo is served as one', () => {
  assert.equal(loadTheme({ ...plain, logo: file('logo.png', png) }).logo?.contentType, 'image/png')
})

test('the guide’s example is accepted, and its tables name every property', () => {
  const guide = readFileSync(new URL('../../../../docs/guide/theming.md', import.meta.url), 'utf8')
  const example = /```css\n(.*?)```/s.exec(guide)?.[1] ?? ''
  const sheet = loadTheme({ ...plain, themeCss: file('example.css', example) }).sheet
  assert.equal(Buffer.from(sheet?.body ?? []).toString(), example)

  const css = Buffer.from(stylesheet.body).toString()
  const known = new Set([...css.matchAll(/(--[a-z-]+):/g)].map(([, name = '']) => name))
  const named = new Set([...guide.matchAll(/--[a-z][a-z-]*/g)].map(([name]) => name))
  const ofReference = ['--get', '--post', '--put', '--delete']
  assert.deepEqual([...named].sort(), [...known].filter((name) => !ofReference.includes(name)).sort())
})
