import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('../', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const sources = globSync('src/**/*.ts', { cwd: root }).map((name) => ({
  name,
  text: readFileSync(join(root, name), 'utf8'),
}))

/** Returns what a file imports, and whether the import exists at run time. */
function importsOf({ name, text }: { name: string; text: string }) {
  const found = text.matchAll(
    /^(?:import|export)\b( type\b)?[^'";]*?from '([^']+)'|\bimport\(['"]([^'"]+)|\brequire\(/gm,
  )
  return [...found].map(([whole, type, from, dynamic]) => ({
    name,
    from: from ?? dynamic ?? whole,
    isType: type !== undefined,
  }))
}

/** Returns the file of the package that an import names; for another package, a path that does not exist. */
function targetOf(name: string, from: string): string {
  return from.startsWith('.') ? relative(root, join(root, dirname(name), from)) : from
}

test('the package depends on jose alone, which only the server half imports', () => {
  const kinds = ['dependencies', 'peerDependencies', 'optionalDependencies', 'devDependencies']
  assert.deepEqual(
    Object.keys(manifest).filter((name) => kinds.includes(name)),
    ['dependencies'],
  )
  assert.deepEqual(Object.keys(manifest.dependencies), ['jose'])
  const imports = sources.flatMap(importsOf)
  assert.ok(imports.length > 30)
  const outside = imports.filter(({ name, from }) => !sources.some((source) => source.name === targetOf(name, from)))
  const known = ['src/server/jws.ts', 'src/server/keys.ts'].map((name) => ({ name, from: 'jose', isType: false }))
  assert.deepEqual(outside, known)
})

test('nothing of the server half comes along with the client for browsers', () => {
  const reached = new Set(['src/index.ts'])
  for (const name of reached) {
    const source = sources.find((each) => each.name === name)
    assert.ok(source, name)
    for (const { from, isType } of importsOf(source)) if (!isType) reached.add(targetOf(name, from))
  }
  assert.ok(reached.size > 5)
  assert.deepEqual(
    [...reached].filter((name) => name.startsWith('src/server')),
    [],
  )
})

test('nothing but web standards is reached for', () => {
  const node = /\b(?:process|Buffer|__dirname|setImmediate|require)\b|\bglobal\.|node:/
  const code = (text: string) => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
  assert.deepEqual(
    sources.filter(({ text }) => node.test(code(text))).map(({ name }) => name),
    [],
  )
})

test('files are short, and every exported thing says what it is', () => {
  const own = sources.filter(({ name }) => name !== 'src/generated.ts')
  assert.deepEqual(
    own.filter(({ text }) => text.split('\n').length > 400).map(({ name }) => name),
    [],
  )
  const bare = own.flatMap(({ name, text }) => {
    const exported = [...text.matchAll(/(\*\/\n)?^export (?:async )?(?:function|class|interface|type|const) (\w+)/gm)]
    const told = new Set(exported.filter(([, doc]) => doc !== undefined).map(([, , thing]) => thing)) // overloads share one
    return exported.filter(([, , thing]) => !told.has(thing)).map(([, , thing]) => `${name}: ${thing}`)
  })
  assert.deepEqual(bare, [])
})

test('every entry of the package exists and can be imported', async () => {
  const entries = Object.entries<{ types: string; default: string }>(manifest.exports)
  assert.deepEqual(
    entries.map(([name]) => name),
    ['.', './server', './express', './fastify', './hono', './request'],
  )
  for (const [name, { types, default: file }] of entries) {
    assert.equal(types, file)
    assert.ok(Object.keys(await import(join(root, file))).length > 0, name)
  }
})

test('the client for browsers stays below 6 kB, minified and gzipped', async (t) => {
  const bundle = await rolldown({ input: join(root, 'src/index.ts'), platform: 'browser' })
  const { output } = await bundle.generate({ format: 'esm', minify: true })
  const size = gzipSync(output[0].code, { level: 9 }).length
  t.diagnostic(`${size} bytes`)
  assert.equal(output.length, 1)
  assert.ok(size < 6_000, `${size} bytes`)
})
