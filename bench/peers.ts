import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { progress } from './progress.ts'

/** The folder where other systems are installed. */
export const peersFolder = fileURLToPath(new URL('./peers/', import.meta.url))

/** Installs the peers in their own folder, once. */
export function installPeers(): void {
  if (existsSync(join(peersFolder, 'node_modules'))) return

  progress.say('installing the peers')
  execFileSync('npm', ['ci', '--prefix', peersFolder], { stdio: ['ignore', 'ignore', 'inherit'] })
}
