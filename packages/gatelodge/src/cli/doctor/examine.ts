import { AuthError } from '../../kernel/errors.ts'
import type { LoadedConfig } from '../command.ts'
import { loadConfig, type Reach } from '../deps.ts'
import { checkDatabase } from './database.ts'
import type { Finding } from './finding.ts'
import { checkMail, checkPublicUrl } from './network.ts'
import { checkPermissions } from './permissions.ts'
import { checkPasswordLength, checkProxies, checkWarnings } from './settings.ts'

/** Runs every check, even after one has failed. Changes nothing. */
export async function examine(context: Reach): Promise<Finding[]> {
  context.status.start()
  const loaded = tryConfig(context)
  if (Array.isArray(loaded)) return loaded

  const { config } = loaded
  const findings = [
    [{ check: 'settings', status: 'ok', says: 'every setting is valid' }] satisfies Finding[],
    checkWarnings(loaded.warnings),
    checkPasswordLength(config),
    checkProxies(config),
    checkPermissions(config),
    checkDatabase(config),
    checkMail(config),
    checkPublicUrl(config),
  ]
  return (await Promise.all(findings)).flat()
}

function tryConfig(context: Reach): LoadedConfig | Finding[] {
  try {
    return loadConfig(context)
  } catch (error) {
    if (!(error instanceof AuthError)) throw error

    return error.faults.map(({ field, message }) => ({
      check: 'settings',
      status: 'fail',
      says: `${field} ${message}`,
      advice: `correct ${field}; the other checks need valid settings`,
    }))
  }
}
