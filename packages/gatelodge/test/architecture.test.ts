import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { test } from 'node:test'
import { projectFiles, projectRoot as root } from './support/project-files.ts'

const source = 'packages/gatelodge/src/'
/** Modules that wire the program. They may import everything, and nothing below imports them. */
const entryPoints = ['cli', 'compose', 'main', 'index', 'library', 'routes', 'secret']

/** What each layer may import besides itself. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  config: ['kernel'],
  store: ['kernel'],
  domain: ['kernel', 'store'],
  http: ['kernel', 'domain'],
  pages: ['kernel', 'domain', 'http'],
  flows: ['kernel', 'store', 'domain', 'http', 'pages'],
  admin: ['kernel', 'store', 'domain', 'http', 'pages', 'flows', 'jobs'],
  jobs: ['kernel', 'store', 'domain', 'http', 'pages', 'flows'],
  output: ['kernel'],
}

const files = projectFiles()
const sources = files
  .filter((path) => path.startsWith(source) && path.endsWith('.ts') && !path.endsWith('.test.ts'))
  .map((path) => ({ name: path.slice(source.length), text: readFileSync(root + path, 'utf8') }))
const imports = sources.flatMap(({ name, text }) => importsOf(name, text))

test('every layer imports only what stands below it', () => {
  const upward = imports.filter(({ from, to, isType }) => {
    const [upper, lower] = [layerOf(from), layerOf(to)]
    if (upper === lower || entryPoints.includes(upper)) return false
    if (lower === 'config') return !isType
    return !allowed[upper]?.includes(lower)
  })
  assert.deepEqual(upward, [])
})

test('the command line and the library import nothing of each other', () => {
  const across = imports.filter(({ from, to }) => {
    const layers = [layerOf(from), layerOf(to)]
    return layers.includes('cli') && layers.includes('library')
  })
  assert.deepEqual(across, [])
})

test('no files import each other in a circle, but for types', () => {
  let left = imports.filter(({ isType }) => !isType)
  for (let before = Number.POSITIVE_INFINITY; left.length < before; ) {
    before = left.length
    // A module that no remaining module imports, or that imports none, is not part of a cycle.
    const [importing, imported] = [new Set(left.map(({ from }) => from)), new Set(left.map(({ to }) => to))]
    left = left.filter(({ from, to }) => imported.has(from) && importing.has(to))
  }
  assert.deepEqual(left, [])
})

test('no flow imports another flow, nor a table of all flows', () => {
  const across = imports.filter(
    ({ from, to }) => isInFlow(from) && to.startsWith('flows/') && !to.startsWith(`${posix.dirname(from)}/`),
  )
  assert.deepEqual(across, [])
})

test('clock, randomness, environment and console are reached in the kernel and the entry points only', () => {
  const outside =
    /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\brandom(?:Bytes|UUID|Int|Fill|FillSync)\b|\bgetRandomValues\b|\bprocess\.env\b|\bconsole\.\w/
  const inner = sources.filter(({ name }) => !['kernel', ...entryPoints].includes(layerOf(name)))
  assert.deepEqual(offenders(inner, outside), [])
})

test('text from the wire is trimmed and compared by bytes, not by Unicode rules', () => {
  const loose = /\.trim(?:Start|End)?\(|\\s|localeCompare|toLocale(?:Lower|Upper)Case/
  const refuses = ['http/safe-redirect.ts'] // an address with any Unicode space leads nowhere
  const reads = sources.filter(
    ({ name }) => /^(?:http|kernel)\//.test(name) && !/postgres-url/.test(name) && !refuses.includes(name),
  )
  assert.deepEqual(offenders(reads, loose), [])
})

test('every flow declares routes, in one folder that has no subfolders except for its words', () => {
  const names = sources
    .map(({ name }) => name)
    .filter((name) => isInFlow(name) && !/^flows\/[\w-]+\/words\/\w+\.ts$/.test(name))
  const folders = [...new Set(names.map((name) => posix.dirname(name)))]
  assert.deepEqual(
    folders.filter((folder) => folder.split('/').length !== 2 || !names.includes(`${folder}/routes.ts`)),
    [],
  )
})

test('access alone declares who may call a route, and the behaviour of a surface depends on nothing else', () => {
  const handlers = sources.filter(({ name }) => /^(?:flows|admin)\/.+(?:routes|pages?)\.ts$/.test(name))
  assert.ok(handlers.length > 25)
  assert.deepEqual(offenders(handlers, /assertFresh|domain\/freshness|throw new AuthError\(.reauthentication/), [])
  const readers = ['http/openapi.ts', 'http/route.ts', 'pages/docs-page.ts', 'pages/openapi-view.ts']
  const others = sources.filter(({ name }) => !readers.includes(name))
  assert.deepEqual(offenders(others, /\btag [!=]==|\.tag\b/), [])
})

test('a host program is served by the same routes as the server: one module builds the app, and the library neither declares nor changes routes', () => {
  const builders = imports.filter(({ to, isType }) => to === 'http/app.ts' && !isType).map(({ from }) => from)
  assert.deepEqual(builders, ['compose.ts'])
  const library = sources.filter(({ name }) => layerOf(name) === 'library')
  assert.ok(library.length > 10)
  assert.deepEqual(offenders(library, /\/api\/|\/oauth2\/|\bhandle\s*[(:]|\broutes?\b.*from|\broute\(/), [])
})

test('flows check passwords through the accounts port, except where only our own accounts can come', () => {
  const ownOnly = ['flows/email-verification/verify-email.ts', 'flows/sign-in/new-password.ts']
  const flows = sources.filter(({ name }) => isInFlow(name) && !ownOnly.includes(name))
  assert.deepEqual(offenders(flows, /\b(?:attemptPassword|checkHash)\b|\bhasher\.verify\b/), [])
})

test('one function decides who has a permission', () => {
  const others = sources.filter(({ name }) => name !== 'domain/authorization.ts')
  assert.deepEqual(offenders(others, /\broles\.(?:includes|some|every|find)\b/), [])
})

/** Modules that write a table, where it is not one alone. Clean-up and copies write all tables by the same statements. */
const sharedTables: Readonly<Record<string, readonly string[]>> = {
  // Each row of `jobs` has one writer: job runs, the lock of administrators, the request to wipe files, the proof of a write.
  jobs: ['domain/administrators.ts', 'jobs/once.ts', 'store/wipe-requests.ts', 'store/write-proof.ts'],
  // Counters of failures and budgets, places of reserved names, turns of callers that share a name.
  limit_counters: ['domain/limits.ts', 'domain/reserved-usernames.ts', 'domain/turns.ts'],
  // An email is requested, then claimed and delivered, then possibly requested again.
  mails: ['admin/mails/retry-mail.ts', 'domain/outbox.ts', 'jobs/mail-claims.ts'],
}

test('each table has one writing module', () => {
  const writers = new Map<string, Set<string>>()
  for (const { name, text } of sources) {
    if (name.startsWith('store/migrat')) continue
    for (const [, table = ''] of text.matchAll(
      /\.(?:insertInto|updateTable|deleteFrom|replaceInto|mergeInto)\('(\w+)'/g,
    ))
      writers.set(table, (writers.get(table) ?? new Set()).add(name))
  }
  assert.ok(writers.size > 18)
  for (const [table, modules] of writers)
    assert.deepEqual([...modules].toSorted(), sharedTables[table] ?? [...modules].slice(0, 1), table)
})

test('security headers are written in one file', () => {
  const others = sources.filter(({ name }) => name !== 'http/security-headers.ts')
  assert.deepEqual(offenders(others, /default-src|frame-ancestors|max-age=63072000|nosniff|permissions-policy/i), [])
})

test('every file stays short, exports by name and leaves no hole in the types', () => {
  const long = sources.filter(({ text }) => text.split('\n').length > 400).map(({ name }) => name)
  assert.deepEqual(long, [])
  assert.deepEqual(
    offenders(sources, /^export default\b|[:<|&,(] ?any\b(?! \w)|\bas any\b|@ts-(?:ignore|nocheck|expect-error)/),
    [],
  )
})

test('no file of the project names a package registry or a path of one machine', () => {
  const foreign = /\bregistry\.(?:npm|yarn)\w*\.|\bnpm\.pkg\.|(?<![\w.:/-])\/(?:home|Users|root|work|tmp)\/\w/
  const texts = files.map((name) => ({ name, text: readFileSync(root + name, 'utf8') }))
  assert.deepEqual(offenders(texts, foreign), [])
})

/** Returns the imports of our own files: static ones, re-exports and dynamic ones. */
function importsOf(from: string, text: string): { from: string; to: string; isType: boolean }[] {
  const statements = text.matchAll(
    /\b(import|export)\b( type\b)?[^'";=]*?\bfrom '(\.[^']+\.ts)'|\bimport\('(\.[^']+)'\)|^import '(\.[^']+)'/gm,
  )
  return [...statements].map(([, , type, named, dynamic, bare]) => ({
    from,
    to: posix.join(posix.dirname(from), named ?? dynamic ?? bare ?? ''),
    isType: type !== undefined,
  }))
}

function layerOf(name: string): string {
  return name.split('/')[0]?.replace(/\.ts$/, '') ?? ''
}

function isInFlow(name: string): boolean {
  return /^flows\/.+\//.test(name)
}

function offenders(files: readonly { name: string; text: string }[], pattern: RegExp): string[] {
  return files.flatMap(({ name, text }) =>
    text.split('\n').flatMap((line, index) => (pattern.test(line) ? [`${name}:${index + 1}: ${line.trim()}`] : [])),
  )
}
