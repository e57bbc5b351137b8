import { accessSync, constants, statSync } from 'node:fs'
import type { Config } from '../../config.ts'
import { secretFile } from '../../secret.ts'
import { codeOf, explainPlace, findObstacle } from '../../store/places.ts'
import { whyOf } from '../text.ts'
import type { Finding } from './finding.ts'

/** Checks that other users of the machine cannot read the data folder (0700), the secret or the database (0600), and that this user can use the secret. */
export function checkPermissions(config: Config): Finding[] {
  const { dataDir, database, secret } = config
  return [
    ...checkMode('data folder', dataDir, 0o700, 'warn'),
    ...(secret === null ? checkSecret(secretFile(config)) : []),
    ...(database.kind === 'sqlite' ? checkMode('database file', database.path, 0o600, 'fail') : []),
  ]
}

/** An existing secret file has to be readable; for a missing one its folder has to be writable. */
function checkSecret(file: string): Finding[] {
  const check = 'secret file'
  try {
    accessSync(file, constants.R_OK)
  } catch (error) {
    const isMissing = codeOf(error) === 'ENOENT'
    const obstacle = isMissing ? findObstacle(file) : explainPlace(file, error)
    if (obstacle) return [{ check, status: 'fail', says: `cannot be used: ${obstacle.says}`, advice: obstacle.advice }]
  }
  return checkMode(check, file, 0o600, 'fail')
}

function checkMode(check: string, path: string, wanted: number, status: 'warn' | 'fail'): Finding[] {
  const mode = modeOf(path)
  if (typeof mode === 'string') return [{ check, status: 'fail', says: `cannot be inspected: ${mode}` }]
  if (mode === undefined) return [{ check, status: 'ok', says: 'is created at the first start' }]

  const shown = (mode & 0o777).toString(8).padStart(4, '0')
  if ((mode & 0o077) === 0) return [{ check, status: 'ok', says: `is accessible only to its owner (${shown})` }]

  const advice = `chmod ${wanted.toString(8)} ${path}`
  return [{ check, status, says: `is accessible to other users of this machine (${shown})`, advice }]
}

/** Returns the mode of a file, undefined if it is missing, or the reason if this user has no permission to look. */
function modeOf(path: string): number | string | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.mode
  } catch (error) {
    return explainPlace(path, error)?.says ?? whyOf(error)
  }
}
