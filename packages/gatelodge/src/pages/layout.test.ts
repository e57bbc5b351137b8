import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainTheme } from '../../test/support/theme.ts'
import { favicon, referenceStylesheet, stylesheet } from './assets.ts'
import { html } from './html.ts'
import { page } from './layout.ts'

const evil = '"><svg onload=alert(1)>'

test('a page is a whole document with a way past its header', () => {
  const text = page({ title: 'Hello', theme: plainTheme('Acme'), body: html`<h1>Hello</h1>`, description: 'Greets' })

  assert.match(text, /^<!doctype html>\n<html lang="en" dir="ltr">/)
  assert.match(text, /<title>Hello &#183; Acme<\/title>/)
  assert.match(text, /<meta name="viewport" content="width=device-width, initial-scale=1">/)
  assert.match(text, /<meta name="description" content="Greets">/)
  assert.match(text, /<a class="skip" href="#main">/)
  assert.match(text, /<main id="main" class="narrow"/)
})

test('a page loads our own assets only and holds no script and no style of its own', () => {
  const text = page({ title: 'Hello', theme: plainTheme('Acme'), body: html``, language: 'de', wide: true })

  const loaded = [...text.matchAll(/(?:src|href)="([^"#]+)"/g)].map((match) => match[1])
  assert.deepEqual(new Set(loaded), new Set([stylesheet.path, referenceStylesheet.path, favicon.path, '/']))
  assert.doesNotMatch(text, /<script|<style|\sstyle=|\son\w+=/)
})

test('nothing that a page is given becomes markup', () => {
  const texts = [page({ title: evil, theme: plainTheme(evil), body: html`${evil}`, description: evil })]
  for (const text of texts) assert.doesNotMatch(text, /<svg/)
})
