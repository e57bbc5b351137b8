import { isServiceLink } from './config/service-links.ts'
import { type Config, type Setting, type SettingKey, settings } from './config/settings.ts'
import { AuthError, type FieldFault } from './kernel/errors.ts'
import { isLoopbackHost, isLoopbackUrl } from './kernel/loopback.ts'
import { isLocalPostgres, parsePostgresUrl } from './kernel/postgres-url.ts'

export type { DatabaseLocation, Listen, Mailbox, PasswordCost, Smtp } from './config/parsers.ts'
export { type Config, type Setting, type SettingKey, settings } from './config/settings.ts'

/** All sources of settings. */
export interface ConfigSources {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Command-line flags that name settings, without their dashes: `log-level`. */
  readonly flags: Readonly<Record<string, string>>
  /** The config file: a JSON object whose values are texts and numbers. */
  readonly file?: { readonly path: string; readonly text: string } | undefined
  /** Returns the text of the file named by an `X_FILE` variable. Throws if it cannot be read. */
  readonly readFile: (path: string) => string
}

/** The effective value of a setting, for `gatelodge config`. */
export interface EffectiveSetting {
  readonly key: SettingKey
  readonly env: string
  /** Empty if not set; secrets, and passwords in URLs, are `********`. */
  readonly value: string
  readonly source: Source
}

type Source = 'flag' | 'environment' | 'secret file' | 'file' | 'default'

/** A text, its source and its name there. */
interface Found {
  readonly text: string
  readonly source: Source
  readonly name: string
}

const rows = Object.entries(settings) as readonly [SettingKey, Setting<unknown>][]

/**
 * Reads every setting. The order of precedence is flag, environment, `X_FILE`, config file, default.
 * @throws config_invalid with all errors together, none of which repeats a value
 */
export function readConfig(sources: ConfigSources): {
  config: Config
  effective: EffectiveSetting[]
  warnings: string[]
} {
  const faults: FieldFault[] = []
  const fileValues = readConfigFile(sources.file, faults)
  faults.push(...unknownNames(sources, fileValues))

  const values: Partial<Record<SettingKey, unknown>> = {}
  const effective: EffectiveSetting[] = []
  for (const [key, row] of rows) {
    const found = find(row, sources, fileValues, faults) ?? findDefault(row, values)
    if (found === 'faulty') continue

    const value = found === 'unset' ? null : row.parse(found.text)
    if (value === undefined && found !== 'unset') faults.push(badValue(found, row))
    if (value !== undefined) values[key] = value
    effective.push({ key, env: row.env, ...shown(row, found) })
  }

  const config = values as Config // a missing value already has an error, and rules that use it are skipped
  const broken = rules.filter((rule) => rule.reads.every((key) => key in values) && rule.broken(config))
  faults.push(...broken.map(({ field, message }) => ({ field, code: 'conflict', message })))
  if (faults.length > 0) throw new AuthError('config_invalid', { faults })

  return { config, effective, warnings: [...warningsOf(config, effective), ...linksWarning(sources)] }
}

function readConfigFile(file: ConfigSources['file'], faults: FieldFault[]): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  if (!file) return values

  for (const [name, value] of Object.entries(parseObject(file, faults))) {
    if (typeof value === 'string' || typeof value === 'number') values.set(name, String(value))
    else faults.push({ field: name, code: 'invalid', message: `must be a string or a number in ${file.path}` })
  }
  return values
}

function parseObject(file: { path: string; text: string }, faults: FieldFault[]): object {
  if (isMangled(file.text)) {
    faults.push({ field: '--config', code: 'encoding', message: `${file.path} is not UTF-8: save it as UTF-8` })
    return {}
  }
  try {
    const parsed: unknown = JSON.parse(withoutMark(file.text))
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed
  } catch {
    // The parser's message is dropped: it quotes the text, which may contain a secret.
  }
  faults.push({ field: '--config', code: 'invalid', message: `${file.path} must hold one JSON object` })
  return {}
}

/** Returns whether a text was read from a file that is not UTF-8: invalid bytes become U+FFFD, and UTF-16 contains zero bytes. */
export function isMangled(text: string): boolean {
  return /[\uFFFD\0]/.test(text)
}

/** Removes the byte order mark that some editors add. */
function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}

function unknownNames({ env, flags }: ConfigSources, fileValues: ReadonlyMap<string, string>): FieldFault[] {
  const all = rows.map(([, row]) => row)
  const envNames = all.flatMap((row) => (row.secret ? [row.env, `${row.env}_FILE`] : [row.env]))
  return [
    ...unknownOf(ownNames(env), envNames),
    ...unknownOf(
      Object.keys(flags).map((name) => `--${name}`),
      all.map((row) => row.flag),
    ),
    ...unknownOf(
      [...fileValues.keys()],
      all.map((row) => row.fileKey),
    ),
  ]
}

/** Returns the variables that can only be meant for Gatelodge. */
function ownNames(env: ConfigSources['env']): string[] {
  return Object.keys(env).filter(
    (name) => name.startsWith('GATELODGE_') && env[name] !== undefined && !isServiceLink(name, env[name]),
  )
}

function linksWarning({ env }: ConfigSources): string[] {
  const links = Object.keys(env).filter((name) => env[name] !== undefined && isServiceLink(name, env[name]))
  if (links.length === 0) return []
  const [variables, are, them] = links.length === 1 ? ['variable', 'is', 'it'] : ['variables', 'are', 'them']
  return [
    `${links.length} ${variables} that Kubernetes sets for a Service named like Gatelodge ${are} ignored; set "enableServiceLinks: false" in the pod to remove ${them}.`,
  ]
}

/** Returns a fault for each name that is not known, with the nearest one that is. */
export function unknownOf(given: readonly string[], known: readonly string[]): FieldFault[] {
  return given
    .filter((name) => !known.includes(name))
    .map((field) => ({
      field,
      code: 'unknown',
      message: `is not a known setting; did you mean ${nearest(field, known)}?`,
    }))
}

/** Returns the known name with the smallest edit distance to a mistyped one. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  return known
    .map((candidate) => ({ candidate, edits: editDistance(name.slice(0, 80), candidate) }))
    .sort((a, b) => a.edits - b.edits)[0]?.candidate
}

/** Computes the Levenshtein distance, one row of the matrix at a time. */
function editDistance(from: string, to: string): number {
  let distances = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row += 1) {
    const next = [row]
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = Number(distances[column - 1]) + (from[row - 1] === to[column - 1] ? 0 : 1)
      next.push(Math.min(replaced, Number(distances[column]) + 1, Number(next[column - 1]) + 1))
    }
    distances = next
  }
  return Number(distances[to.length])
}

function find(
  row: Setting<unknown>,
  { env, flags, readFile }: ConfigSources,
  fileValues: ReadonlyMap<string, string>,
  faults: FieldFault[],
): Found | 'faulty' | undefined {
  const fileVariable = `${row.env}_FILE`
  const secretPath = row.secret ? env[fileVariable] : undefined
  const envText = env[row.env]
  if (envText !== undefined && secretPath !== undefined) {
    faults.push({ field: row.env, code: 'twice', message: `and ${fileVariable} are both set; keep one of them` })
    return 'faulty'
  }

  const flagText = flags[row.flag.slice(2)]
  if (flagText !== undefined) return { text: flagText, source: 'flag', name: row.flag }
  if (envText !== undefined) return { text: envText, source: 'environment', name: row.env }
  if (secretPath !== undefined) {
    try {
      const text = withoutMark(readFile(secretPath)).replace(/\r?\n$/, '')
      if (!isMangled(text)) return { text, source: 'secret file', name: fileVariable }
      const message = `names ${secretPath}, which is not UTF-8: save it as UTF-8`
      faults.push({ field: fileVariable, code: 'encoding', message })
    } catch {
      faults.push({ field: fileVariable, code: 'unreadable', message: 'names a file that cannot be read' })
    }
    return 'faulty'
  }

  const fileText = fileValues.get(row.fileKey)
  return fileText === undefined ? undefined : { text: fileText, source: 'file', name: row.fileKey }
}

function findDefault(row: Setting<unknown>, values: Partial<Record<SettingKey, unknown>>): Found | 'faulty' | 'unset' {
  if (row.default === null) return 'unset'
  if (typeof row.default === 'string') return { text: row.default, source: 'default', name: row.env }
  if (!row.default.reads.every((key) => key in values)) return 'faulty'

  return { text: row.default.from(values as Config), source: 'default', name: row.env }
}

function badValue(found: Found, row: Setting<unknown>): FieldFault {
  const problem = found.text === '' ? 'is empty; remove it to use the default, otherwise it' : ''
  return { field: found.name, code: 'invalid', message: `${problem} must be ${row.form}`.trim() }
}

function shown(row: Setting<unknown>, found: Found | 'unset'): { value: string; source: Source } {
  if (found === 'unset') return { value: '', source: 'default' }

  return { value: found.source === 'default' ? found.text : row.masked(found.text), source: found.source }
}

/** A rule about the combination of settings. */
interface Rule {
  readonly reads: readonly SettingKey[]
  readonly broken: (config: Config) => boolean
  readonly field: string
  readonly message: string
}

const rules: readonly Rule[] = [
  {
    reads: ['publicUrl', 'insecureHttp'],
    broken: (config) => !config.insecureHttp && isClearOffLoopback(config.publicUrl),
    field: settings.publicUrl.env,
    message:
      'is plain http off loopback, so passwords would be sent unencrypted: use https (a reverse proxy can terminate TLS) ' +
      `or accept it with ${settings.insecureHttp.env}=yes`,
  },
  {
    reads: ['publicUrl', 'smtp', 'insecureHttp'],
    broken: (config) => !config.insecureHttp && config.smtp === null && !isLoopbackUrl(config.publicUrl),
    field: settings.smtp.env,
    message:
      'is not set although the public URL is off loopback, so mails would not be delivered: set it to smtp://HOST or ' +
      `smtps://HOST, or accept it with ${settings.insecureHttp.env}=yes`,
  },
  {
    reads: ['workers', 'database'],
    broken: (config) => config.workers > 1 && config.database.kind === 'sqlite',
    field: settings.workers.env,
    message: `above 1 requires PostgreSQL: set it to 1, or ${settings.database.env} to a postgres:// URL`,
  },
  {
    reads: ['workers', 'smtp'],
    broken: (config) => config.workers > 1 && config.smtp === null,
    field: settings.workers.env,
    message:
      'above 1 requires a mail server, since the development mailbox exists only in the memory of one process: set it to 1, or ' +
      `${settings.smtp.env} to smtp://HOST or smtps://HOST`,
  },
  {
    reads: ['metricsListen', 'listen'],
    broken: ({ metricsListen, listen }) =>
      metricsListen !== null && listen.port !== 0 && metricsListen.port === listen.port,
    field: settings.metricsListen.env,
    message: `has the same port as ${settings.listen.env}: use another one, which only the scraper can reach`,
  },
  {
    reads: ['avatars', 'avatarsKeyId', 'avatarsSecretKey'],
    broken: ({ avatars, avatarsKeyId, avatarsSecretKey }) =>
      [avatarsKeyId, avatarsSecretKey].some((key) => (key !== null) !== (avatars.kind === 's3')),
    field: settings.avatars.env,
    message:
      `and its keys belong together: a bucket requires ${settings.avatarsKeyId.env} and ${settings.avatarsSecretKey.env}, ` +
      'and the folder takes neither',
  },
  {
    reads: ['databaseDirect', 'database'],
    broken: (config) => config.databaseDirect !== null && config.database.kind === 'sqlite',
    field: settings.databaseDirect.env,
    message: `requires PostgreSQL: remove it, or set ${settings.database.env} to a postgres:// URL`,
  },
]

function warningsOf(config: Config, effective: readonly EffectiveSetting[]): string[] {
  const clearUrls = [config.frontendUrl ?? [], config.allowedOrigins].flat().filter(isClearOffLoopback)
  const secretFlag = effective.some(
    ({ key, source }) =>
      source === 'flag' && settings[key].secret && !(key === 'database' && config.database.kind === 'sqlite'),
  )
  const warnings: readonly (readonly [boolean, string])[] = [
    [!config.rateLimits, `${settings.rateLimits.env}=off: nothing limits password guessing. For load tests only.`],
    [
      config.insecureHttp,
      `${settings.insecureHttp.env}=yes: the server starts even if passwords are sent unencrypted or mails are not delivered.`,
    ],
    [
      config.enumeration === 'explicit',
      `${settings.enumeration.env}=explicit: anyone can find out which addresses have accounts.`,
    ],
    [
      config.registration === 'instant',
      `${settings.registration.env}=instant: addresses are not verified, and anyone can find out which have accounts.`,
    ],
    [
      config.passwordMinLength < 8,
      `${settings.passwordMinLength.env} is below 8, the minimum that NIST SP 800-63B-4 and OWASP ASVS allow.`,
    ],
    [
      clearUrls.length > 0,
      `${settings.frontendUrl.env} or ${settings.allowedOrigins.env} names a plain http site off loopback: anyone on the network path can act as its users.`,
    ],
    [
      config.smtp?.tls === 'never' && !isLoopbackHost(config.smtp.host),
      `${settings.smtp.env} has tls=never: mails and the links in them are sent unencrypted.`,
    ],
    [
      [config.database.kind === 'postgres' ? config.database.url : null, config.databaseDirect].some(isClearPostgres),
      `${settings.database.env} or ${settings.databaseDirect.env} has sslmode=disable off loopback: anyone on the network path can read and change everything.`,
    ],
    [
      config.trustedProxies.some((network) => network.endsWith('/0')),
      `${settings.trustedProxies.env} trusts every peer: anyone can forge the address by which rate limits count.`,
    ],
    [
      config.avatars.kind === 's3' && isClearOffLoopback(config.avatars.endpoint),
      `${settings.avatars.env} names a plain http endpoint off loopback: anyone on the network path can read and replace pictures.`,
    ],
    [
      config.smtp !== null && greetsAsLocalhost(config),
      `${settings.smtpName.env}: the host of ${settings.publicUrl.env} is not a domain name, so mail servers are greeted as "localhost": set it to the name of this machine.`,
    ],
    [secretFlag, 'A secret was given as a flag, which other users of this machine can read: use its _FILE variable.'],
    [
      config.metricsListen !== null && !isLoopbackHost(config.metricsListen.host),
      `${settings.metricsListen.env} is off loopback: anyone who can reach it can read the metrics without credentials.`,
    ],
  ]
  return warnings.filter(([applies]) => applies).map(([, text]) => text)
}

function greetsAsLocalhost({ smtpName, publicUrl }: Config): boolean {
  return smtpName === 'localhost' && !/^localhost\.?$/.test(new URL(publicUrl).hostname)
}

function isClearPostgres(url: string | null): boolean {
  const location = parsePostgresUrl(url ?? '')
  return location !== undefined && location.tls === null && !isLocalPostgres(location)
}

function isClearOffLoopback(url: string): boolean {
  return url.startsWith('http:') && !isLoopbackUrl(url)
}

/** Returns the settings as a Markdown table, for the manual. */
export function renderSettingsTable(): string {
  const head = ['Name', 'Flag', 'File key', 'Default', 'What it does', 'Secret']
  const lines = rows.map(([, row]) => [
    `\`${row.env}\``,
    `\`${row.flag}\``,
    `\`${row.fileKey}\``,
    defaultText(row.default),
    `${row.doc} Must be ${row.form}.`,
    row.secret ? `yes, also \`${row.env}_FILE\`` : 'no',
  ])
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

function defaultText(value: Setting<unknown>['default']): string {
  if (value === null || value === '') return 'none'

  return typeof value === 'string' ? `\`${value}\`` : value.shown
}
