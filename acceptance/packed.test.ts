import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { basename, dirname, extname, join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { commandFolder, type ServerProcess } from '../packages/gatelodge/test/support/cli.ts'
import { multipart, plain } from '../packages/gatelodge/test/support/images.ts'
import { blocksOf } from '../packages/gatelodge/test/support/markdown.ts'
import { consumerFolder, packPackages } from '../packages/gatelodge/test/support/packed.ts'
import { freshPostgresDatabase, stopOwnPostgres } from '../packages/gatelodge/test/support/postgres.ts'
import { smtpServer } from '../packages/gatelodge/test/support/smtp.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
const names = { gatelodge: 'gatelodge', client: '@gatelodge/client' } as const
const person = { email: 'ada@example.com', password: 'quiet harbour 52' }
/** The other packages of a program that uses ours. */
const ofConsumer = ['@types/node', 'express', '@types/express', 'fastify', 'hono']

const consumer = await consumerFolder([...Object.values(names), ...ofConsumer])
/** As npm links it. */
const program = join(consumer.path, 'node_modules/.bin/gatelodge')

after(async () => {
  consumer[Symbol.dispose]()
  await stopOwnPostgres()
})

test('the tarballs hold what the source needs to run, its types and nothing else', async () => {
  const alwaysThere = ['LICENSE', 'README.md', 'package.json']
  for (const { name, tarball } of await packPackages()) {
    const source = join(root, 'packages', name === names.client ? 'client' : 'gatelodge')
    const assets = globSync('src/**/*.{css,svg,js}', { cwd: source })
    const modules = globSync('src/**/*.ts', { cwd: source })
      .filter((file) => !file.endsWith('.test.ts'))
      .flatMap((file) => ['.js', '.d.ts'].map((end) => file.replace(/\.ts$/, end)))
    const built = [...assets, ...modules].map((file) => file.replace(/^src/, 'dist'))
    const files = filesOf(name).filter((file) => !file.startsWith('program/'))
    assert.deepEqual(files, [...alwaysThere, ...globSync('bin/*', { cwd: source }), ...built].sort())
    assert.deepEqual(
      files.filter((file) => /\.test\.|(?<!\.d)\.ts$|\.map$|(?:^|\/)(?:\.|test|fixtures)/.test(file)),
      [],
    )

    const all = filesOf(name)
    const size = all.reduce((sum, file) => sum + statSync(join(folderOf(name), file)).size, 0)
    console.log(`# ${name}: ${all.length} files, ${kib(statSync(tarball).size)} packed, ${kib(size)} unpacked`)
  }
})

test('the packed program holds what it starts, what its pages are made of, and the licence of each library in it', () => {
  const files = filesOf(names.gatelodge).flatMap((file) => /^program\/(.+)$/.exec(file)?.[1] ?? [])
  const entries = ['main', 'worker', 'hash-worker', 'decoder', 'sqlite-rewrite-worker'].map((entry) => `${entry}.js`)
  const assets = globSync('src/pages/*.{css,svg,js}', { cwd: join(root, 'packages/gatelodge') }).map((file) =>
    basename(file),
  )
  const named = [...entries, ...assets, 'LICENSES.txt', 'package.json', 'files.json']
  assert.deepEqual(
    named.filter((file) => !files.includes(file)),
    [],
  )
  assert.deepEqual(
    files.filter((file) => !named.includes(file) && !/^[\w-]+-[\w-]{8}\.js$/.test(file)),
    [],
  )

  const read = (file: string) => readFileSync(join(folderOf(names.gatelodge), 'program', file), 'utf8')
  const licences = read('LICENSES.txt')
  const libraries = files
    .filter((file) => file.endsWith('.js'))
    .flatMap((file) => [...read(file).matchAll(/^\/\/.* (?:\.\.\/)*node_modules\/((?:@[^/]+\/)?[^/]+)\//gm)])
    .map(([, library = '']) => library)
  assert.ok(new Set(libraries).size > 10)
  for (const library of libraries) assert.ok(licences.includes(`${library} `), library)
})

test('no packed file names a path of this machine, a source map or a secret', () => {
  const secret =
    /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{36}|\bnpm_\w{36}|\bxox[abp]-\w{10}/
  for (const name of Object.values(names)) {
    const told = filesOf(name).filter((file) => {
      const text = readFileSync(join(folderOf(name), file), 'latin1')
      return text.includes(root) || text.includes('sourceMappingURL') || secret.test(text)
    })
    assert.deepEqual(told, [], name)
  }
})

test('a packed package.json leads to packed files only, and everything that is imported is there or a dependency', () => {
  for (const name of Object.values(names)) {
    const folder = folderOf(name)
    const manifest = consumer.manifest(name)
    for (const key of ['private', 'scripts', 'devDependencies']) assert.equal(key in manifest, false, `${name}: ${key}`)
    const targets = targetsOf([manifest.exports, manifest.bin ?? {}])
    assert.ok(targets.length > 0)
    for (const target of targets) assert.ok(existsSync(join(folder, target)), `${name}: ${target}`)

    const known = new Set([name, ...Object.keys(manifest.dependencies ?? {})])
    const lost = filesOf(name)
      .filter((file) => /^(?:dist|program)\/.*\.(?:js|ts)$/.test(file))
      .flatMap((file) => importsOf(join(folder, file)).map((to) => ({ file, to })))
      .filter(({ file, to }) => {
        if (!to.startsWith('.')) return !isBuiltin(to) && !known.has(packageOf(to))
        // Declarations import each other as source files.
        return !existsSync(join(folder, dirname(file), file.endsWith('.d.ts') ? to.replace(/\.ts$/, '.d.ts') : to))
      })
    assert.deepEqual(lost, [], name)
  }
})

test('the program starts by its name without a flag, and says what it does', () => {
  const env = { PATH: dirname(process.execPath) }
  const { status, stdout, stderr } = spawnSync(program, ['--help'], { cwd: consumer.path, env, encoding: 'utf8' })
  assert.deepEqual([status, stderr], [0, ''])
  assert.match(stdout, /^Usage: gatelodge COMMAND/)
  const version = spawnSync(program, ['--version'], { cwd: consumer.path, env, encoding: 'utf8' })
  assert.equal(version.stdout.trim(), consumer.manifest(names.gatelodge).version)
})

test('a packed server on SQLite shows its pages with all that belongs to them', async () => {
  await using folder = commandFolder({ NODE_OPTIONS: '' }, program)
  const { origin } = await folder.serve()
  assert.equal((await fetch(`${origin}/healthz`)).status, 200)

  const page = await fetch(`${origin}/register`)
  assert.equal(page.status, 200)
  const html = await page.text()
  const assets = [...html.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, path = '']) => path)
  const types = { '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml' }
  for (const [end, type] of Object.entries(types)) {
    const asset = await fetch(origin + assets.find((path) => extname(path) === end))
    assert.equal(asset.status, 200, end)
    assert.equal(asset.headers.get('content-type')?.split(';')[0], type)
    assert.ok((await asset.text()).length > 100)
  }
  assert.equal((await fetch(`${origin}/docs`)).status, 200)
})

test('a packed server hashes a password, mails a link, signs in and decodes a picture', async () => {
  await using folder = commandFolder({ NODE_OPTIONS: '' }, program)
  const server = await folder.serve()
  const session = await signUpAndIn(server, async () => {
    const list = await (await fetch(`${server.origin}/dev/mailbox`)).text()
    const path = /\/dev\/mailbox\/[\w-]+/.exec(list)?.[0]
    return path === undefined ? '' : await (await fetch(server.origin + path)).text()
  })

  const { body, type } = multipart([{ content: await plain(600, 400).png().toBuffer() }])
  const set = await ask(server, 'PUT', '/me/avatar', body, { 'content-type': type, authorization: `Bearer ${session}` })
  assert.equal(set.status, 200, set.text)
  const picture = await fetch(server.origin + set.json.avatar_url)
  assert.deepEqual([picture.status, picture.headers.get('content-type')], [200, 'image/webp'])
  assert.equal(await server.end(), 0)
  assert.equal(server.stderr().includes('"level":"error"'), false, server.stderr())
})

test('packed workers serve on PostgreSQL, with SMTP and metrics', async () => {
  await using closing = new AsyncDisposableStack()
  const database = await freshPostgresDatabase()
  closing.defer(database.release)
  const inbox = await smtpServer()
  closing.defer(inbox.close)
  const folder = closing.use(
    commandFolder(
      {
        NODE_OPTIONS: '',
        GATELODGE_DATABASE: database.url,
        GATELODGE_SECRET: 'one secret for all workers of this proof',
        GATELODGE_PUBLIC_URL: 'http://localhost:3000',
        GATELODGE_SMTP_URL: `smtp://127.0.0.1:${inbox.smtp.port}`,
        GATELODGE_METRICS_LISTEN: '127.0.0.1:0',
        GATELODGE_WORKERS: '2',
      },
      program,
    ),
  )
  const server = await folder.serve()
  assert.equal(server.started.workers, 2)
  await signUpAndIn(server, async () => inbox.received[0]?.parsed.text ?? '')
  const figures = await (await fetch(String(server.started.metrics))).text()
  assert.match(figures, /^gatelodge_processes 2$/m)
  assert.match(figures, /^gatelodge_signins_total\{outcome="success"\} 1$/m)
  assert.equal(await server.end(), 0)
})

test('the packed library is found by its name, answers and holds its contract for repositories', () => {
  const told = runModule(`
    import { createAuth, version } from 'gatelodge'
    import { userRepositoryContract } from 'gatelodge/contracts'
    const auth = await createAuth({
      settings: { publicUrl: 'http://localhost:3000', database: 'sqlite::memory:', registration: 'instant', logLevel: 'error' },
      secret: 'one secret for the library of this proof',
      printMails: false,
    })
    const { status } = await auth.fetch(new Request('http://localhost:3000/healthz'))
    await auth.api.registerUser(${JSON.stringify(person)})
    const { accessToken } = await auth.api.loginUser(${JSON.stringify(person)})
    const { email } = await auth.api.getLoggedInUser(accessToken)
    await auth.close()
    const checks = userRepositoryContract(() => { throw new Error('not run') }).length
    console.log(JSON.stringify({ at: import.meta.resolve('gatelodge'), version, status, email, checks: checks > 5 }))
  `)
  const { version } = consumer.manifest(names.gatelodge)
  const at = String(pathToFileURL(join(folderOf(names.gatelodge), 'dist/index.js')))
  assert.deepEqual(told, { at, version, status: 200, email: person.email, checks: true })
})

test('every part of the packed client is found by its name and loads', () => {
  const parts = specifiersOf(names.client)
  const told: Record<string, { at: string; exports: boolean }> = runModule(`
    const told = {}
    for (const part of ${JSON.stringify(parts)}) {
      told[part] = { at: import.meta.resolve(part), exports: Object.keys(await import(part)).length > 0 }
    }
    console.log(JSON.stringify(told))
  `)
  const folder = String(pathToFileURL(join(folderOf(names.client), 'dist/')))
  assert.deepEqual(Object.keys(told), parts)
  for (const [part, { at, exports }] of Object.entries(told)) {
    assert.ok(at.startsWith(folder), `${part}: ${at}`)
    assert.ok(exports, `${part} exports something`)
  }
})

test('the types of both packages and the programs of their READMEs pass a strict check that leaves no library out', () => {
  const readmes = Object.values(names).map((name) => readFileSync(join(folderOf(name), 'README.md'), 'utf8'))
  const blocks = readmes.flatMap(blocksOf).filter(({ language }) => language === 'ts')
  assert.ok(blocks.length > 1)
  const parts = Object.values(names).flatMap(specifiersOf)
  const everything = parts.map((part, index) => `export * as part${index} from '${part}'`).join('\n')
  const programs = [everything, typesAreKnown, typesFitFrameworks, ...blocks.map(({ body }) => body)]
  assert.equal(typeFaults(programs, { module: 'nodenext', types: ['node'] }), '')
})

test('the types of the client need no types of Node', () => {
  const browser = { module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom', 'dom.iterable'], types: [] }
  assert.equal(typeFaults([`export * from '${names.client}'`], browser), '')
})

/** If types could not be resolved, everything would be allowed and these errors would not occur. */
const typesAreKnown = `
import type { TokenResponse } from '@gatelodge/client'
import { createAuth } from 'gatelodge'

const auth = await createAuth({ settings: { database: 'sqlite::memory:' } })
// @ts-expect-error no such setting
await createAuth({ settings: { databases: 'sqlite::memory:' } })
// @ts-expect-error no such operation
auth.api.registerUsers
export const token = (response: TokenResponse): string => response.access_token
// @ts-expect-error no such field
export const tokens = (response: TokenResponse) => response.access_tokens
`

const typesFitFrameworks = `
import { requireAuth as ofExpress } from '@gatelodge/client/express'
import { requireAuth as ofFastify } from '@gatelodge/client/fastify'
import { type AuthVariables, requireAuth as ofHono } from '@gatelodge/client/hono'
import type { ResourceServer } from '@gatelodge/client/server'
import type { Express } from 'express'
import type { FastifyInstance } from 'fastify'
import type { Hono } from 'hono'

export function guard(server: ResourceServer, express: Express, fastify: FastifyInstance, hono: Hono<{ Variables: AuthVariables }>) {
  express.use(ofExpress(server))
  fastify.addHook('onRequest', ofFastify(server))
  hono.use(ofHono(server))
}
`

function folderOf(name: string): string {
  return join(consumer.path, 'node_modules', name)
}

/** Returns the files of a package as unpacked, without files that its program added. */
function filesOf(name: string): string[] {
  return readdirSync(folderOf(name), { recursive: true, encoding: 'utf8' })
    .filter((file) => !file.startsWith('node_modules') && statSync(join(folderOf(name), file)).isFile())
    .sort()
}

/** Returns the names by which a program imports a package and its parts. */
function specifiersOf(name: string): string[] {
  return Object.keys(consumer.manifest(name).exports).map((part) => name + part.slice(1))
}

/** Returns the strings at the leaves of nested tables. */
function targetsOf(table: unknown): string[] {
  if (typeof table === 'string') return [table]
  return typeof table === 'object' && table !== null ? Object.values(table).flatMap(targetsOf) : []
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8').replace(/\/\*.*?\*\/|^\s*\/\/[^\n]*/gms, '') // bundled libraries show their use in comments
  return [...text.matchAll(/\b(?:from |import |import\(|require\()['"]([^'"\n]+)['"]/g)].map(([, to = '']) => to)
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** Runs a program in the folder with the installed packages, and returns its output. */
// biome-ignore lint/suspicious/noExplicitAny: each program prints what its test looks at
function runModule(text: string): any {
  const file = join(consumer.path, 'program.mjs')
  writeFileSync(file, text)
  const env = { PATH: dirname(process.execPath) }
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], { cwd: consumer.path, env, encoding: 'utf8' })
  assert.deepEqual([status, stderr], [0, ''])
  return JSON.parse(stdout)
}

/** Returns what the compiler reports for programs in the folder with the installed packages. */
function typeFaults(programs: readonly string[], options: object): string {
  const files = programs.map((text, index) => {
    const name = `program${index}.ts`
    writeFileSync(join(consumer.path, name), text)
    return name
  })
  const compilerOptions = { strict: true, skipLibCheck: false, noEmit: true, ...options }
  writeFileSync(join(consumer.path, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', consumer.path], { encoding: 'utf8' })
  assert.ok(status === 0 || stdout !== '')
  return stdout
}

/** Signs up a user, confirms with the token of the email once it arrives, signs in and returns the access token. */
async function signUpAndIn(server: ServerProcess, readMail: () => Promise<string>): Promise<string> {
  const json = { 'content-type': 'application/json' }
  const post = (path: string, body: object) => ask(server, 'POST', path, JSON.stringify(body), json)
  assert.equal((await post('/signup', person)).status, 201)
  const token = await mailedToken(readMail)
  assert.equal((await post('/verify-email', { token, password: person.password })).status, 200)
  assert.equal((await post('/signin', { ...person, password: 'wrong harbour 52' })).status, 401)
  const signedIn = await post('/signin', person)
  assert.equal(signedIn.status, 200, signedIn.text)
  return signedIn.json.access_token
}

async function ask(
  { origin }: ServerProcess,
  method: string,
  path: string,
  body: string | Buffer<ArrayBuffer>,
  headers: Readonly<Record<string, string>>,
) {
  const answer = await fetch(`${origin}/api/v1/auth${path}`, { method, headers, body })
  const text = await answer.text()
  return { status: answer.status, text, json: JSON.parse(text) }
}

async function mailedToken(readMail: () => Promise<string>): Promise<string> {
  const giveUp = performance.now() + 30_000
  for (;;) {
    const token = /verify-email\?token=([\w.-]+)/.exec(await readMail())?.[1]
    if (token !== undefined) return token
    assert.ok(performance.now() < giveUp, 'no mail came')
    await pause(10)
  }
}

function kib(bytes: number): string {
  return `${Math.round(bytes / 1024)} KiB`
}
