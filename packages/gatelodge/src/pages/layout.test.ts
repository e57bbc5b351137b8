import assert from 'node:assert/strict'
import { test } from 'node:test'
import { favicon, stylesheet } from './assets.ts'
import { html } from './html.ts'
import { page } from './layout.ts'
import { problemPage } from './problem-page.ts'

const evil = '"><svg onload=alert(1)>'

test('a page is a whole document with a way past its header', () => {
  const text = page({ title: 'Hello', serviceName: 'Acme', body: html`<h1>Hello</h1>`, description: 'Greets' })

  assert.match(text, /^<!doctype html>\n<html lang="en">/)
  assert.match(text, /<title>Hello · Acme<\/title>/)
  assert.match(text, /<meta name="viewport" content="width=device-width, initial-scale=1">/)
  assert.match(text, /<meta name="description" content="Greets">/)
  assert.match(text, /<a class="skip" href="#main">/)
  assert.match(text, /<main id="main" class="narrow"/)
})

test('a page loads our own assets only and holds no script and no style of its own', () => {
  const text = page({ title: 'Hello', serviceName: 'Acme', body: html``, lang: 'de', wide: true })

  const loaded = [...text.matchAll(/(?:src|href)="([^"#]+)"/g)].map((match) => match[1])
  assert.deepEqual(new Set(loaded), new Set([stylesheet.path, favicon.path, '/']))
  assert.doesNotMatch(text, /<script|<style|\sstyle=|\son\w+=/)
})

test('nothing that a page is given becomes markup', () => {
  const texts = [
    page({ title: evil, serviceName: evil, body: html`${evil}`, lang: evil, description: evil }),
    problemPage({ serviceName: evil, title: evil, text: evil, link: { href: evil, label: evil } }),
  ]
  for (const text of texts) assert.doesNotMatch(text, /<svg/)
})

test('a problem page says what happened and shows the way on', () => {
  const text = problemPage({
    serviceName: 'Acme',
    title: 'Not found',
    text: 'There is nothing here.',
    link: { href: '/login', label: 'Sign in' },
  })
  assert.match(text, /<h1>Not found<\/h1>\s*<p>There is nothing here\.<\/p>/)
  assert.match(text, /<a class="button" href="\/login">Sign in<\/a>/)
})
