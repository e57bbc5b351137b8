import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The folder of the repository, with a slash at its end. */
export const projectRoot = fileURLToPath(new URL('../../../../', import.meta.url))

/** Returns the paths of all project files, relative to `projectRoot`, except what git ignores. */
export function projectFiles(folder = ''): string[] {
  const untracked = /^(?:node_modules|\.git|\.svelte-kit|data|dist|build|coverage|results|.*\.(?:log|tgz))$/
  return readdirSync(projectRoot + folder, { withFileTypes: true }).flatMap((entry) => {
    if (untracked.test(entry.name) || entry.isSymbolicLink()) return []
    return entry.isDirectory() ? projectFiles(`${folder}${entry.name}/`) : [`${folder}${entry.name}`]
  })
}
