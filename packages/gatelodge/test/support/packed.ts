import { execFile } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const run = promisify(execFile)

/** The fields of a package.json that tests read. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly bin?: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly [other: string]: unknown
}

/** One of our packages as it would be published. */
export interface PackedPackage {
  readonly name: string
  readonly tarball: string
  readonly manifest: Manifest
}

/** A folder of a program that has installed packages. */
export interface ConsumerFolder {
  readonly path: string
  /** Returns the package.json of an installed package. */
  manifest(name: string): Manifest
  [Symbol.dispose](): void
}

/**
 * Creates a fresh folder outside the repository with what `npm install NAME...` would put there, without network access. Our packages are built, packed by npm
 * and unpacked. All others, including the dependencies of our packages, are links to what is installed in the repository, or in an example with its own versions.
 * Packages that are not named cannot be found.
 */
export async function consumerFolder(names: readonly string[], example = ''): Promise<ConsumerFolder> {
  const packages = (await packPackages()).filter(({ name }) => names.includes(name))
  const path = mkdtempSync(join(realpathSync(tmpdir()), 'gatelodge-consumer-'))
  const modules = join(path, 'node_modules')
  const consumer: ConsumerFolder = {
    path,
    manifest: (name) => readManifest(join(modules, name)),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  }
  writeFileSync(join(path, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  mkdirSync(join(modules, '.bin'), { recursive: true })

  for (const packed of packages) await unpack(packed, modules)
  const others = [...names, ...packages.flatMap(({ manifest }) => Object.keys(manifest.dependencies ?? {}))]
  for (const name of new Set(others).difference(new Set(packages.map((packed) => packed.name)))) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    const own = join(root, example, 'node_modules', name)
    symlinkSync(existsSync(own) ? own : join(root, 'node_modules', name), join(modules, name))
  }
  return consumer
}

let packages: Promise<readonly PackedPackage[]> | undefined

/** Builds and packs both packages, once per process. They are deleted when it ends. */
export function packPackages(): Promise<readonly PackedPackage[]> {
  packages ??= pack()
  return packages
}

async function pack(): Promise<PackedPackage[]> {
  const folder = mkdtempSync(join(tmpdir(), 'gatelodge-packed-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  await run(process.execPath, [join(root, 'scripts/build.ts'), folder], { cwd: root })
  const env = { ...process.env, npm_config_offline: 'true', npm_config_update_notifier: 'false' }
  await run('npm', ['pack', './gatelodge', './client'], { cwd: folder, env })
  return ['gatelodge', 'client'].map((built) => {
    const manifest = readManifest(join(folder, built))
    const name = manifest.name.replace('@', '').replace('/', '-')
    return { name: manifest.name, tarball: join(folder, `${name}-${manifest.version}.tgz`), manifest }
  })
}

async function unpack({ name, tarball, manifest }: PackedPackage, modules: string): Promise<void> {
  const target = join(modules, name)
  mkdirSync(target, { recursive: true })
  await run('tar', ['-xzf', tarball, '-C', target, '--strip-components=1'])
  for (const [command, file] of Object.entries(manifest.bin ?? {})) {
    chmodSync(join(target, file), 0o755)
    symlinkSync(join('..', name, file), join(modules, '.bin', command))
  }
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest // written by us or by our build
}
