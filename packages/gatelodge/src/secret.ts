import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type Config, isMangled } from './config.ts'
import { AuthError } from './kernel/errors.ts'
import { newId } from './kernel/ids.ts'
import type { Random } from './kernel/random.ts'
import { explained } from './store/places.ts'

type SecretSettings = Pick<Config, 'secret' | 'dataDir'>

/** Returns the path of the file in the data folder (0700) that stores a generated secret. */
export function secretFile(config: Pick<Config, 'dataDir'>): string {
  return join(config.dataDir, 'secret')
}

/**
 * Returns the configured secret, or else the one in the data folder, which is created if it is missing (256 bits, mode 0600).
 * @throws config_invalid, service_unavailable
 */
export function loadSecret(config: SecretSettings, random: Random): string {
  const known = findSecret(config)
  if (known !== undefined) return known

  explained('The secret file', secretFile(config), () => makeSecret(config.dataDir, random))
  return loadSecret(config, random)
}

/** Returns the configured secret, or else the one in the data folder if it exists. @throws config_invalid, service_unavailable */
export function findSecret(config: SecretSettings): string | undefined {
  if (config.secret !== null) return config.secret

  const file = secretFile(config)
  const kept = explained('The secret file', file, () => readIfThere(file))?.trim()
  if (kept === undefined) return kept
  if (isMangled(kept)) throw damaged(`holds ${file}, which is not UTF-8: save it as UTF-8, or restore the file`)
  if (kept.length >= 32) return kept
  throw damaged('holds a secret file of fewer than 32 characters: restore the file that the database was created with')
}

function damaged(message: string): AuthError {
  return new AuthError('config_invalid', { faults: [{ field: 'GATELODGE_DATA_DIR', code: 'secret_damaged', message }] })
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
}

/**
 * The file appears under its name with its whole content, and is on disk before anything is encrypted. When several processes race, one wins and the others
 * read its secret.
 */
function makeSecret(dataDir: string, random: Random): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const draft = join(dataDir, `secret.${newId(random)}.draft`)
  const file = openSync(draft, 'wx', 0o600)
  try {
    writeSync(file, `${random.bytes(32).toString('base64url')}\n`)
    fsyncSync(file)
    linkSync(draft, secretFile({ dataDir }))
    syncFolder(dataDir)
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error
  } finally {
    closeSync(file)
    unlinkSync(draft)
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  fsyncSync(folder)
  closeSync(folder)
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
