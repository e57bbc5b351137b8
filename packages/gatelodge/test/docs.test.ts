import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { commands } from '../src/cli/commands/index.ts'
import { settings } from '../src/config/settings.ts'
import { readConfig } from '../src/config.ts'
import { deviceMemory, mostDevices } from '../src/domain/devices.ts'
import {
  addressLimits,
  apiTokenNoticeBudget,
  deviceMailBudgets,
  emailChangeBudget,
  mailBudgets,
  newDeviceBudget,
  newPasswordBudget,
  passwordChangeBudget,
  resetReserve,
} from '../src/domain/limits.ts'
import { forgivenBySuccess, passwordDelay, passwordLockout, signInDelay } from '../src/domain/password-limits.ts'
import { undoWindow } from '../src/domain/recovery.ts'
import { createCookieJar } from '../src/http/cookies.ts'
import { givenUpAfter } from '../src/jobs/write-mail.ts'
import { formatDuration } from '../src/kernel/duration.ts'
import { ceiling } from '../src/kernel/strangers/strangers.ts'
import { migrateUp } from '../src/store/migrate.ts'
import { openSqlite } from '../src/store/sqlite.ts'
import { anchorsOf, blocksOf, linksOf, markdownSection, pagesWithCommands, tableRowsOf } from './support/markdown.ts'
import { projectFiles } from './support/project-files.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const section = (file: string, heading: string) => markdownSection(read(file), heading)
const pages = globSync(['*.md', 'docs/{guide,decisions}/*.md', 'packages/*/README.md', 'examples/*/README.md'], {
  cwd: root,
})

const source = 'packages/gatelodge/src/'
const sources = globSync(`${source}**/*.ts`, { cwd: root })
  .filter((file) => !file.endsWith('.test.ts'))
  .map((file) => ({ name: file.slice(source.length), text: read(file) }))

test('the layout names every folder of the source and every file at its top, and nothing else', () => {
  const layout = section('ARCHITECTURE.md', 'Layout')
  const folders = new Set(sources.flatMap(({ name }) => name.split('/').slice(0, -1)))
  const known = [
    ...[...folders].map((folder) => `${folder}/`),
    ...sources.map(({ name }) => name).filter((name) => !name.includes('/')),
  ]
  const tree = layout.slice(layout.indexOf('  src/\n'), layout.indexOf('  test/  ')).split('\n').slice(1, -1)
  const named = tree.map((line) => line.trim().split(' ')[0] ?? '')
  assert.deepEqual(named.sort(), known.sort())
})

test('the docs name for every table who deletes its rows, including clean-up', async () => {
  const store = openSqlite(':memory:')
  await migrateUp(store)
  const tables = (await store.migrationDb.introspection.getTables()).map(({ name }) => name)
  await store.close()

  const rows = tableRowsOf(section('ARCHITECTURE.md', 'Tables'))
  const own = tables.filter((name) => !name.startsWith('schema_migration'))
  assert.deepEqual(rows.map(([name]) => name).sort(), own.sort())
  assert.ok(rows.every(([, use, deletion]) => use && deletion))
  const cleaned = read(`${source}jobs/clean-up.ts`).matchAll(/(?:table: '|\/\/ rows of )(\w+)/g)
  assert.deepEqual(
    rows
      .filter(([, , deletion]) => deletion?.includes('clean-up'))
      .map(([name]) => name)
      .sort(),
    [...new Set([...cleaned].map(([, name]) => name))].sort(),
  )
  const classes = tableRowsOf(section('docs/guide/security-design.md', 'Data classes and retention'))
  const classified = new Set(classes.flatMap(([names = '']) => names.split(', ')))
  assert.deepEqual(
    own.filter((name) => !classified.has(name)),
    [],
  )
})

test('the files that architecture and style name as examples exist', () => {
  const ideas = tableRowsOf(section('ARCHITECTURE.md', 'Load-bearing ideas'))
  const named = ideas.flatMap(([, files = '']) => files.split(', ')).filter((file) => !file.includes('*'))
  const exemplars = tableRowsOf(section('STYLE.md', 'Kind of file and exemplar')).map(([, file = '']) => file)
  const paths = [
    ...named.map((file) => source + file),
    ...exemplars.map((file) => (/^(?:src|test)\//.test(file) ? `packages/gatelodge/${file}` : file)),
  ]
  assert.ok(paths.length > 20)
  assert.deepEqual(
    paths.filter((path) => !existsSync(root + path)),
    [],
  )
})

test('the defaults of SECURITY.md are those of the code', () => {
  const { effective } = readConfig({ env: {}, flags: {}, readFile: () => assert.fail('no file is read') })
  for (const [name = '', value] of tableRowsOf(section('SECURITY.md', 'Settings that protect'))) {
    assert.equal(value, effective.find(({ env }) => env === name)?.value, name)
  }

  const byAddress = Object.values(addressLimits).filter((limit) => limit !== null)
  assert.deepEqual(
    tableRowsOf(section('SECURITY.md', 'Limits by client address')),
    byAddress.map(({ name, max, window, counts }) => [name, String(max), formatDuration(window), counts]),
  )
  assert.deepEqual(
    tableRowsOf(section('SECURITY.md', 'Limits by account or mail address')),
    [
      ...mailBudgets,
      resetReserve,
      ...deviceMailBudgets,
      passwordChangeBudget,
      newPasswordBudget,
      emailChangeBudget,
      newDeviceBudget,
      apiTokenNoticeBudget,
    ].map(({ name, max, window }) => [name, String(max), formatDuration(window)]),
  )
  assert.deepEqual(
    tableRowsOf(section('SECURITY.md', 'Growing delays')),
    [signInDelay, passwordDelay].map((delay) => [
      delay.name,
      String(delay.free),
      ...[delay.first, delay.longest, delay.memory].map(formatDuration),
    ]),
  )
  assert.deepEqual(
    tableRowsOf(section('SECURITY.md', 'What strangers may add')).map((row) => row.slice(0, 3)),
    Object.entries(ceiling).map(([name, { most, perSecond }]) => [name, String(most), String(perSecond)]),
  )
  const { session, device, signUp } = createCookieJar('https://auth.example.com')
  assert.deepEqual(
    tableRowsOf(section('SECURITY.md', 'Cookies over https')).map(([name, attributes]) => `${name}=x; ${attributes}`),
    [session, device, signUp].map((cookie) => cookie.set('x')),
  )
  const cleanUp = read(`${source}jobs/clean-up.ts`)
  const kept = (name: string) => `${new RegExp(`${name} = (\\d+) \\* day`).exec(cleanUp)?.[1]}d`
  assert.deepEqual(
    tableRowsOf(section('SECURITY.md', 'Fixed numbers')).map(([, value]) => value),
    [
      ...[passwordLockout.free, forgivenBySuccess, mostDevices].map(String),
      ...[undoWindow, deviceMemory, givenUpAfter].map(formatDuration),
      kept('keepMails'),
    ],
  )
})

test('the security design names every way to a session, every use of cryptography, every connection out and every log line', () => {
  const page = 'docs/guide/security-design.md'
  const filesWith = (pattern: RegExp) =>
    sources
      .filter(({ text }) => pattern.test(text))
      .map(({ name }) => name)
      .sort()
  const filesNamed = (heading: string, column: number) =>
    [...new Set(tableRowsOf(section(page, heading)).map((row) => row[column] ?? ''))].sort()

  assert.deepEqual(filesNamed('Ways to sign in and their strength', 1), filesWith(/(?:return|=>) decideSignIn\(/))
  assert.deepEqual(filesWith(/insertSession\(/), ['domain/authentication.ts', 'domain/sessions.ts'])
  assert.deepEqual(filesNamed('Cryptographic inventory', 2), filesWith(/from '(?:node:crypto|jose|@node-rs\/argon2)'/))
  assert.deepEqual(
    filesNamed('Outbound communications', 2),
    filesWith(/await fetch\(|'nodemailer'|import pg from 'pg'|from 's3mini'/),
  )

  const messages = sources.flatMap(({ text }) =>
    [...text.matchAll(/\blog\.\w+\(\{.*\}, '([^']+)'\)/g)].map(([, line]) => line ?? ''),
  )
  const lines = tableRowsOf(section(page, 'Log inventory')).map(([line]) => line)
  assert.deepEqual(lines.filter((line) => line !== 'warnings of the settings').sort(), messages.sort())
})

test('the dependencies that were decided are those of the packages, with the licences they have', () => {
  const manifests = ['package.json', ...globSync('packages/*/package.json', { cwd: root })].map(readManifest)
  const used = manifests.flatMap(({ dependencies = {}, devDependencies = {}, optionalDependencies = {} }) =>
    Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies }),
  )
  const rows = tableRowsOf(read('docs/decisions/0002-dependencies.md'))
  assert.deepEqual(rows.map(([name]) => name).sort(), [...new Set(used)].sort())

  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, { license?: string }> }
  for (const [name = '', , licence] of rows) assert.equal(licence, packages[`node_modules/${name}`]?.license, name)
})

test('every decision is listed, and has a context, a decision and consequences', () => {
  const files = readdirSync(join(root, 'docs/decisions'))
    .filter((file) => /^\d{4}-/.test(file))
    .sort()
  const titles = files.map((file) => `- [${/^# (.+)$/m.exec(read(`docs/decisions/${file}`))?.[1]}](${file})`)
  const list = read('docs/decisions/README.md')
    .split('\n')
    .filter((line) => line.startsWith('- '))
  assert.deepEqual(list, titles)
  for (const file of files) {
    const headings = anchorsOf(read(`docs/decisions/${file}`))
    assert.deepEqual(
      ['context', 'decision', 'consequences'].filter((heading) => !headings.includes(heading)),
      [],
      file,
    )
  }
})

test('the README names every command', () => {
  const rows = tableRowsOf(section('README.md', 'The command line'))
  assert.deepEqual(rows.flatMap(([names = '']) => names.split(', ')).sort(), commands.map(({ name }) => name).sort())
})

test('every setting that a page names exists', () => {
  const known = Object.values(settings).flatMap(({ env, secret }) => (secret ? [env, `${env}_FILE`] : [env]))
  const named = pages.flatMap((page) => read(page).match(/\bGATELODGE_[A-Z_]+/g) ?? [])
  assert.deepEqual(
    named.filter((name) => !known.includes(name)),
    [],
  )
})

test('no file tells a reader to fetch the program by a name that anyone could publish', () => {
  const fetches = /\b(?:npx (?!--no-install )|npm (?:i|install|add|exec|x) )(?:-\S+ )*@?gatelodge\b/
  const files = projectFiles().filter((file) => /\.(?:md|json|[cm]?[jt]s|ya?ml|sh|conf)$/.test(file))
  assert.ok(files.length > 700)
  assert.deepEqual(
    files.filter((file) => fetches.test(read(file))),
    [],
  )
})

test('a page that reads the output of a command keeps the lines of npm out of it', () => {
  const noisy = /\$\(npm run gatelodge\b|npm run gatelodge\b[^\n]* \|/
  assert.deepEqual(
    pages.filter((page) => blocksOf(read(page)).some(({ body }) => noisy.test(body))),
    [],
  )
})

test('every link leads to a file and a heading that exist', () => {
  const dead = pages.flatMap((page) =>
    linksOf(read(page))
      .filter((target) => !/^(?:https?|mailto):/.test(target))
      .filter((target) => {
        const [file = '', anchor] = target.split('#')
        const path = file === '' ? page : normalize(join(dirname(page), file))
        return !existsSync(root + path) || (anchor !== undefined && !anchorsOf(read(path)).includes(anchor))
      })
      .map((target) => `${page}: ${target}`),
  )
  assert.deepEqual(dead, [])
})

test('commands in pages are run by a test, or marked as text', () => {
  const tested = pagesWithCommands.flatMap(({ file, section: heading }) =>
    blocksOf(heading === undefined ? read(file) : section(file, heading)).filter(({ language }) => language === 'sh'),
  )
  const all = pages
    .filter((page) => !page.startsWith('examples/'))
    .flatMap((page) => blocksOf(read(page)).map((block) => ({ page, ...block })))
  assert.equal(all.filter(({ language }) => language === 'sh').length, tested.length)
  assert.deepEqual(
    all.filter(({ language }) => !['sh', 'ts', 'text', 'json', 'css'].includes(language)),
    [],
  )
})

test('the TypeScript in pages passes the type check', () => {
  mkdirSync(join(root, 'coverage'), { recursive: true })
  const folder = mkdtempSync(join(root, 'coverage/pages-'))
  try {
    const blocks = pages.flatMap((page) => blocksOf(read(page)).filter(({ language }) => language === 'ts'))
    assert.ok(blocks.length > 2)
    for (const [index, { body }] of blocks.entries()) writeFileSync(join(folder, `block-${index}.ts`), body)
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: '../../tsconfig.json', include: ['*.ts'] }))

    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { cwd: root, encoding: 'utf8' })
    assert.equal(status, 0, stdout)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

function readManifest(file: string): Manifest {
  return JSON.parse(read(file)) as Manifest
}
