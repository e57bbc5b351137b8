import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildProgram } from '../packages/gatelodge/scripts/program.ts'

/** `./src/x.ts`, or such a table for each subpath or condition. */
type Exports = string | { readonly [name: string]: Exports }

/** The package.json of a source folder, as far as the build changes it. */
interface Manifest {
  readonly name: string
  readonly version: string
  readonly exports: Exports
  readonly private: true
  readonly scripts?: object
  readonly devDependencies?: object
  readonly [other: string]: unknown
}

const root = fileURLToPath(new URL('../', import.meta.url))
const packages = ['gatelodge', 'client']

/**
 * Builds what is published, because Node.js strips no types below node_modules: one folder per package in `build`, or in the given folder. The source runs
 * without a build. One compiler run builds both packages with the options of `npm run check` (tsconfig.build.json), so what is built is what was checked.
 */
const folder = resolve(process.argv[2] ?? join(root, 'build'))
const emitted = join(folder, 'emitted')
for (const name of [...packages, 'emitted']) rmSync(join(folder, name), { recursive: true, force: true })
const { status } = compile()
if (status === 0) {
  await buildProgram(join(folder, 'gatelodge/program'))
  for (const name of packages) console.log(assemble(name))
}
rmSync(emitted, { recursive: true, force: true })
process.exitCode = status ?? 1

function compile() {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const project = join(root, 'tsconfig.build.json')
  return spawnSync(process.execPath, [tsc, '-p', project, '--outDir', emitted], { stdio: 'inherit' })
}

/** Assembles the folder of a package and returns a one-line description of it. */
function assemble(name: string): string {
  const from = join(root, 'packages', name)
  const to = join(folder, name)
  cpSync(join(root, 'LICENSE'), join(to, 'LICENSE'))
  cpSync(join(from, 'README.md'), join(to, 'README.md'))
  if (existsSync(join(from, 'bin'))) cpSync(join(from, 'bin'), join(to, 'bin'), { recursive: true })
  renameSync(join(emitted, 'packages', name, 'src'), join(to, 'dist'))
  // Styles, pictures and scripts are read from the folder of the module that names them.
  cpSync(join(from, 'src'), join(to, 'dist'), { recursive: true, filter: (path) => !path.endsWith('.ts') })

  const manifest = publishedManifest(readManifest(from))
  writeFileSync(join(to, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  const sizes = readdirSync(to, { recursive: true, encoding: 'utf8' }).map((file) => statSync(join(to, file)))
  const files = sizes.filter((entry) => entry.isFile())
  const kib = Math.round(files.reduce((sum, { size }) => sum + size, 0) / 1024)
  return `${manifest.name} ${manifest.version}: ${files.length} files, ${kib} KiB in ${relative('.', to)}`
}

function readManifest(packageFolder: string): Manifest {
  return JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as Manifest // one of our own files
}

function publishedManifest(manifest: Manifest) {
  const { private: _private, scripts: _scripts, devDependencies: _development, ...rest } = manifest
  return { ...rest, exports: publishedExports(manifest.exports), files: ['bin', 'dist', 'program'] }
}

/**
 * Returns the built files for those of the source. If a table does not name the types of a module, they are added first, because the first matching condition
 * is used.
 */
function publishedExports(exports: Exports, kind: 'module' | 'types' | 'code' = 'module'): Exports {
  if (typeof exports !== 'string') {
    const others = 'types' in exports ? 'code' : kind
    return Object.fromEntries(
      Object.entries(exports).map(([name, target]) => [
        name,
        publishedExports(target, name === 'types' ? 'types' : others),
      ]),
    )
  }
  const path = exports.replace('./src/', './dist/').replace(/\.ts$/, '')
  const built = { types: `${path}.d.ts`, code: `${path}.js`, module: { types: `${path}.d.ts`, default: `${path}.js` } }
  return built[kind]
}
