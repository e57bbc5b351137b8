import { statSync } from 'node:fs'
import type { Config } from '../../config.ts'
import { secretFile } from '../../secret.ts'
import type { Finding } from './finding.ts'

/** Nobody else on the machine may read the data folder (0700), the secret or the database (0600). */
export function checkPermissions(config: Config): Finding[] {
  const { dataDir, database, secret } = config
  return [
    ...checkMode('data folder', dataDir, 0o700, 'warn'),
    ...(secret === null ? checkMode('secret file', secretFile(config), 0o600, 'fail') : []),
    ...(database.kind === 'sqlite' ? checkMode('database file', database.path, 0o600, 'fail') : []),
  ]
}

function checkMode(check: string, path: string, wanted: number, status: 'warn' | 'fail'): Finding[] {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode
  if (mode === undefined) return [{ check, status: 'ok', says: 'is made at the first start' }]

  const shown = (mode & 0o777).toString(8).padStart(4, '0')
  if ((mode & 0o077) === 0) return [{ check, status: 'ok', says: `only its owner may use it (${shown})` }]

  const advice = `chmod ${wanted.toString(8)} ${path}`
  return [{ check, status, says: `others on this machine may use it (${shown})`, advice }]
}
