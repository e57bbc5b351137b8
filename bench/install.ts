import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { local } from './processes.ts'

/** The dependencies that the package `gatelodge` adds, as installed here for this platform. */
export interface InstallFigures {
  readonly packages: number
  readonly mb: number
}

/** Counts the packages that the server depends on, and measures their files. */
export function measureInstall(): InstallFigures {
  const folders = new Set<string>()
  addDependencies(local('../packages/gatelodge'), folders)
  const bytes = [...folders].flatMap(filesOf).reduce((sum, file) => sum + statSync(file).size, 0)
  return { packages: folders.size, mb: bytes / 2 ** 20 }
}

function addDependencies(folder: string, folders: Set<string>): void {
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  )
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const found = findPackage(name, folder)
    if (found === undefined || folders.has(found)) continue // one for another platform is not there

    folders.add(found)
    addDependencies(found, folders)
  }
}

/** The folder of a package as Node.js finds it from another one. */
function findPackage(name: string, from: string): string | undefined {
  const folder = join(from, 'node_modules', name)
  if (existsSync(join(folder, 'package.json'))) return folder
  return from === dirname(from) ? undefined : findPackage(name, dirname(from))
}

/** The files of one package, without the packages within it. */
function filesOf(folder: string): string[] {
  return globSync('**/*', { cwd: folder, exclude: ['node_modules/**'], withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}
