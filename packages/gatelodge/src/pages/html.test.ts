import assert from 'node:assert/strict'
import { test } from 'node:test'
import { html, renderHtml, trustedHtml } from './html.ts'

test('a hole is escaped for text and for quoted attributes', () => {
  const evil = `<a href="x" title='y'>&`
  assert.equal(renderHtml(html`<p title="${evil}">`), '<p title="&#60;a href=&#34;x&#34; title=&#39;y&#39;&#62;&#38;">')
})

test('nested markup is not escaped twice and lists are joined', () => {
  const items = ['a', '<b>'].map((text) => html`<li>${text}</li>`)
  assert.equal(renderHtml(html`<ul>${items}</ul>`), '<ul><li>a</li><li>&#60;b&#62;</li></ul>')
  assert.equal(renderHtml(html`${['<', [html`<i>`]]}`), '&#60;<i>')
})

test('undefined, null and false are nothing, zero and the empty text are themselves', () => {
  assert.equal(renderHtml(html`[${undefined}${null}${false}${0}${''}]`), '[0]')
})

test('only our own functions make markup', () => {
  const forged = JSON.parse('{"markup":"<script>","#markup":"<script>"}')
  assert.equal(renderHtml(html`${forged}`), '[object Object]')
  assert.throws(() => renderHtml(forged), TypeError)
  assert.equal(renderHtml(html`${trustedHtml('p>a{}')}`), 'p>a{}')
})
