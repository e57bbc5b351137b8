import assert from 'node:assert/strict'
import { globSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { blocksOf } from '../packages/gatelodge/test/support/markdown.ts'
import './sveltekit/journeys.ts'
import './sveltekit/walk.ts'
import './sveltekit/server.ts'
import './sveltekit/forms.ts'
import { build } from './sveltekit/fixture.ts'

// examples/sveltekit as a user copies it, in front of a packed Gatelodge with a real inbox, used in a real browser.
// With SVELTEKIT_SCREENSHOTS=FOLDER the walk over all pages saves a screenshot of each there.

test('the example passes its own type check, and contains the packed client', () => {
  assert.match(build.checked, /found 0 errors and 0 warnings/)
  const client = join(build.path, 'node_modules/@gatelodge/client')
  assert.equal(realpathSync(client), client)
  const maps = globSync('build/client/_app/immutable/**/*.js.map', { cwd: build.path })
  const sources = maps.flatMap((map) => JSON.parse(readFileSync(join(build.path, map), 'utf8')).sources as string[])
  assert.ok(sources.some((source) => source.endsWith('/node_modules/@gatelodge/client/dist/client.js')))
  assert.deepEqual(
    sources.filter((source) => source.includes('packages/client')),
    [],
  )
})

test('the code of the guide is that of the example', () => {
  const files = globSync(['vite.config.ts', 'src/**/*.{ts,svelte}'], { cwd: build.path })
  const sources = files.map((file) => readFileSync(join(build.path, file), 'utf8'))
  const guide = readFileSync(new URL('../docs/guide/sveltekit.md', import.meta.url), 'utf8')
  const shown = blocksOf(guide).filter(({ body }) => !body.startsWith('GATELODGE_'))
  assert.ok(shown.length > 10)
  assert.deepEqual(
    shown.filter(({ body }) => !sources.some((source) => source.includes(body))),
    [],
  )
})
