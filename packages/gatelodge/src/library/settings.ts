import { type Config, readConfig, type SettingKey, settings, unknownOf } from '../config.ts'
import { AuthError, type FieldFault, isAuthError } from '../kernel/errors.ts'
import { isLoopbackHost } from '../kernel/loopback.ts'

/** Settings by their names in `Config`, with values in the syntax of the environment: `{ database: 'sqlite::memory:', resetTtl: '30m' }`. */
export type AuthSettings = Readonly<Partial<Record<Exclude<SettingKey, 'secret'>, string>>>

interface GivenSettings {
  readonly settings: AuthSettings
  readonly secret: string | undefined
  /** Whether accounts live in a repository of the host program. */
  readonly isExternal: boolean
}

const keyOf = new Map(Object.entries(settings).map(([key, { env }]) => [env, key as SettingKey]))
const names = Object.keys(settings).filter((key) => key !== 'secret')

/**
 * Reads the settings of a host program, which are named as it wrote them: `resetTtl`, not `GATELODGE_RESET_TTL`.
 * @throws config_invalid with all faults, which its message repeats
 */
export function readSettings(given: GivenSettings): { config: Config; warnings: string[] } {
  const known = Object.entries(given.settings).filter(([name]) => names.includes(name))
  const env = Object.fromEntries(known.map(([key, text]) => [settings[key as SettingKey].env, text]))
  const faults = unknownOf(Object.keys(given.settings), names)
  try {
    const { config, warnings } = readConfig({
      env: { ...env, [settings.secret.env]: given.secret },
      flags: {},
      readFile: noFile,
    })
    faults.push(...libraryFaults(given, config))
    if (faults.length === 0) return { config, warnings: warnings.map(inOwnNames) }
  } catch (error) {
    if (!isAuthError(error, 'config_invalid')) throw error
    faults.push(...error.faults.map(toOwnNames))
  }
  const detail = faults.map(({ field, message }) => `${field} ${message}`).join('; ')
  throw new AuthError('config_invalid', { faults, detail })
}

/** Mistakes that only a library can make: a server derives its public URL from its own address, and has no repository. */
function libraryFaults({ settings: given, isExternal }: GivenSettings, config: Config): FieldFault[] {
  const faults: FieldFault[] = []
  const isInUse = (config.smtp && !isLoopbackHost(config.smtp.host)) || config.trustedProxies.length > 0
  if (isInUse && given.publicUrl === undefined) {
    const message = `is required with smtp or trustedProxies: links in emails would lead to ${config.publicUrl}`
    faults.push({ field: 'publicUrl', code: 'required', message })
  }
  if (isExternal && config.registration === 'verify') {
    const message = 'must be instant, admin or closed with a user repository, which cannot store pending sign-ups'
    faults.push({ field: 'registration', code: 'conflict', message })
  }
  return faults
}

function toOwnNames({ field, code, message }: FieldFault): FieldFault {
  return { field: keyOf.get(field) ?? field, code, message: inOwnNames(message) }
}

/** Replaces `GATELODGE_INSECURE_HTTP=yes` by `insecureHttp: 'yes'`. */
function inOwnNames(text: string): string {
  return text.replaceAll(/GATELODGE_[A-Z_]+(?:=(\w+))?/g, (name, value?: string) => {
    const key = keyOf.get(name.split('=', 1)[0] ?? name)
    if (key === undefined) return name
    return value === undefined ? key : `${key}: '${value}'`
  })
}

function noFile(): never {
  throw new Error('the library does not read settings from files')
}
