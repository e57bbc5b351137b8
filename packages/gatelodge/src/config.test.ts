import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ConfigSources, readConfig, renderSettingsTable, settings } from './config.ts'
import { AuthError, type FieldFault } from './kernel/errors.ts'
import { isLoopbackHost } from './kernel/loopback.ts'

const names = `LISTEN PUBLIC_URL SERVICE_NAME DATABASE DATABASE_DIRECT DATA_DIR SECRET SMTP_URL MAIL_FROM FRONTEND_URL
  ALLOWED_ORIGINS TRUSTED_PROXIES REGISTRATION ENUMERATION USERNAME USERNAME_CHECK PASSWORD_MIN_LENGTH ACCESS_TOKEN_TTL
  TOKEN_AUDIENCE SESSION_IDLE SESSION_ABSOLUTE VERIFY_TTL RESET_TTL REFRESH_GRACE WORKERS LOG_LEVEL METRICS_LISTEN
  SECURITY_CONTACT RATE_LIMITS INSECURE_HTTP PASSWORD_HASH REAUTHENTICATION_WINDOW EVENT_RETENTION AVATARS
  AVATARS_KEY_ID AVATARS_SECRET_KEY ACCENT LOGO THEME_CSS TERMS_URL PRIVACY_URL TOKEN_ALGORITHM KEY_ROTATION SMTP_NAME`.split(
  /\s+/,
)

const online = { PUBLIC_URL: 'https://auth.example.com', SMTP_URL: 'smtp://mail.example.com' }

test('the table contains exactly the names of the contract and our own', () => {
  const known = Object.values(settings).map((row) => row.env)
  assert.deepEqual(known.toSorted(), names.map((name) => `GATELODGE_${name}`).toSorted())
})

test('flag and file key are derived from the environment variable', () => {
  assert.equal(settings.passwordMinLength.flag, '--password-min-length')
  assert.equal(settings.smtp.fileKey, 'smtp_url')
})

test('an empty environment results in the defaults of the contract', () => {
  const { config, warnings } = readConfig(sources({}))

  assert.deepEqual(warnings, [])
  assert.deepEqual(config, {
    listen: { host: '127.0.0.1', port: 3000 },
    publicUrl: 'http://localhost:3000',
    serviceName: 'Gatelodge',
    database: { kind: 'sqlite', path: './data/gatelodge.db' },
    databaseDirect: null,
    dataDir: './data',
    secret: null,
    avatars: { kind: 'folder' },
    avatarsKeyId: null,
    avatarsSecretKey: null,
    accent: null,
    logo: null,
    themeCss: null,
    termsUrl: null,
    privacyUrl: null,
    smtp: null,
    smtpName: 'localhost',
    mailFrom: { name: 'Gatelodge', address: 'no-reply@localhost' },
    frontendUrl: null,
    allowedOrigins: [],
    trustedProxies: [],
    registration: 'verify',
    enumeration: 'blind',
    username: 'optional',
    usernameCheck: true,
    passwordMinLength: 8,
    passwordHash: { memoryKiB: 19_456, passes: 2, lanes: 1 },
    sessionAbsolute: 2_592_000_000,
    sessionIdle: 604_800_000,
    accessTokenTtl: 900_000,
    tokenAudience: null,
    refreshGrace: 10_000,
    tokenAlgorithm: 'EdDSA',
    keyRotation: 7_776_000_000,
    reauthenticationWindow: 900_000,
    verifyTtl: 86_400_000,
    resetTtl: 1_800_000,
    eventRetention: 31_536_000_000,
    workers: 1,
    logLevel: 'info',
    metricsListen: null,
    securityContact: null,
    rateLimits: true,
    insecureHttp: false,
  })
})

test('a flag overrides the environment, which overrides the file, which overrides the default', () => {
  const file = { path: 'g.json', text: '{"log_level": "error", "password_min_length": 12}' }
  const level = (over: Partial<ConfigSources>, env = {}) => {
    const { config, effective } = readConfig({ ...sources(env), ...over })
    return [config.logLevel, effective.find(({ key }) => key === 'logLevel')?.source]
  }

  assert.deepEqual(level({}), ['info', 'default'])
  assert.deepEqual(level({ file }), ['error', 'file'])
  assert.deepEqual(level({ file }, { LOG_LEVEL: 'warn' }), ['warn', 'environment'])
  assert.deepEqual(level({ file, flags: { 'log-level': 'debug' } }, { LOG_LEVEL: 'warn' }), ['debug', 'flag'])
  assert.equal(readConfig({ ...sources({}), file }).config.passwordMinLength, 12)
})

test('every secret is read from the file named by its X_FILE, without the final newline', () => {
  const contents: Readonly<Record<string, string>> = {
    database: 'postgres://db/x\n',
    databaseDirect: 'postgres://direct/x',
    secret: `${'s'.repeat(32)}\n\n`,
    avatarsKeyId: 'key-id\n',
    avatarsSecretKey: 'secret-key\r\n',
    smtp: 'smtp://localhost:25\r\n',
  }
  const secrets = Object.entries(settings).filter(([, row]) => row.secret)
  assert.deepEqual(
    secrets.map(([key]) => key),
    Object.keys(contents),
  )

  const { env } = sources({ AVATARS: 's3://avatars?endpoint=https://s3.example.com&region=eu' })
  const files = Object.fromEntries(secrets.map(([key, row]) => [`${row.env}_FILE`, key]))
  const file = { path: 'g.json', text: '{"secret": "too short, and never looked at"}' }
  const readFile = (path: string) => contents[path] ?? assert.fail(path)
  const { config, effective } = readConfig({ env: { ...env, ...files }, flags: {}, file, readFile })

  assert.equal(config.secret, `${'s'.repeat(32)}\n`)
  assert.equal(config.smtp?.port, 25)
  assert.deepEqual(config.database, { kind: 'postgres', url: 'postgres://db/x' })
  assert.equal(config.databaseDirect, 'postgres://direct/x')
  assert.deepEqual([config.avatarsKeyId, config.avatarsSecretKey], ['key-id', 'secret-key'])
  const fromFiles = effective.filter(({ source }) => source === 'secret file')
  assert.deepEqual(
    fromFiles.map(({ key, value }) => [key, value]),
    Object.entries(contents).map(([key, text]) => [key, text.includes('://') ? text.trim() : '********']),
  )
})

test('a secret set twice, an unreadable file and X_FILE for a setting that is not a secret are errors', () => {
  const secret = 'hunter2-'.repeat(4)
  assert.deepEqual(codes({ SECRET: secret, SECRET_FILE: 'x' }), { GATELODGE_SECRET: 'twice' })
  assert.deepEqual(codes({ SECRET_FILE: '/gone' }), { GATELODGE_SECRET_FILE: 'unreadable' })
  assert.deepEqual(codes({ LISTEN_FILE: 'x' }), { GATELODGE_LISTEN_FILE: 'unknown' })
})

test('secrets are masked in the effective settings, defaults and other values are shown', () => {
  const { effective } = readConfig(sources({ SECRET: 'x'.repeat(40), SERVICE_NAME: 'Harbour' }))
  const values = Object.fromEntries(effective.map(({ key, value }) => [key, value]))

  assert.equal(values.secret, '********')
  assert.equal(values.smtp, '')
  assert.equal(values.database, 'sqlite:./data/gatelodge.db')
  assert.equal(values.mailFrom, 'Harbour <no-reply@localhost>')
  assert.equal(effective.length, names.length)
})

test('of a URL only the password is masked, and of a path nothing', () => {
  const shown = (name: 'DATABASE' | 'DATABASE_DIRECT' | 'SMTP_URL', text: string) => {
    const { effective } = readConfig(sources({ DATABASE: 'postgres://db/x', [name]: text }))
    return effective.find(({ env }) => env === `GATELODGE_${name}`)?.value
  }
  const database = 'postgres://app:hunter2%40@db.example.com:5433/auth?sslmode=verify-ca&sslrootcert=/etc/ca.pem'
  assert.equal(shown('DATABASE', database), database.replace('hunter2%40', '********'))
  assert.equal(shown('DATABASE_DIRECT', 'postgres://db.example.com/auth'), 'postgres://db.example.com/auth')
  assert.equal(shown('DATABASE', 'sqlite:/var/lib/gatelodge/auth:x@y.db'), 'sqlite:/var/lib/gatelodge/auth:x@y.db')
  assert.equal(shown('SMTP_URL', 'smtps://mailer:hunter2@mx.example.com'), 'smtps://mailer:********@mx.example.com')
  assert.equal(shown('SMTP_URL', 'smtps://hunter2:hunter2@mx.example.com'), 'smtps://********:********@mx.example.com')
})

test('unknown names are rejected in every source, with the nearest known name', () => {
  const faults = faultsOf({
    ...sources({ PUBLIC_ULR: 'x', SECRETFILE: 'x' }),
    flags: { lisen: 'x' },
    file: { path: 'g.json', text: '{"log-level": "info", "__proto__": "x"}' },
  })
  const hints = Object.fromEntries(faults.map(({ field, message }) => [field, message]))

  assert.match(hints.GATELODGE_PUBLIC_ULR ?? '', /GATELODGE_PUBLIC_URL\?/)
  assert.match(hints.GATELODGE_SECRETFILE ?? '', /GATELODGE_SECRET_FILE\?/)
  assert.match(hints['--lisen'] ?? '', /--listen\?/)
  assert.match(hints['log-level'] ?? '', /log_level\?/)
  assert.equal(faults.length, 5)
})

test('other variables and unset ones are ignored', () => {
  readConfig({ ...sources({}), env: { HOME: '/root', GATELODGE_NOTHING: undefined } })
})

test('a config file that is not a JSON object of texts and numbers is rejected without quoting it', () => {
  for (const text of ['', '{"secret": hunter2}', '["hunter2"]', 'null', '"hunter2"', '{"secret": ["hunter2"]}']) {
    const faults = faultsOf({ ...sources({}), file: { path: 'g.json', text } })
    assert.equal(faults.length, 1)
    assert.doesNotMatch(JSON.stringify(faults), /hunter2/)
  }
})

test('all errors are reported together and none repeats a value', () => {
  const env = Object.fromEntries(names.map((name) => [name, 'hunter2 | nonsense\n']))
  const faults = faultsOf(sources({ ...env, SMTP_URL: 'smtp://u:hunter2@', NONSENSE: 'hunter2' }))
  const accepted = ['GATELODGE_DATA_DIR', 'GATELODGE_SECRET']

  for (const name of names.map((each) => `GATELODGE_${each}`)) {
    if (!accepted.includes(name))
      assert.ok(
        faults.some(({ field }) => field === name),
        name,
      )
  }
  assert.ok(faults.some(({ field }) => field === 'GATELODGE_NONSENSE'))
  assert.doesNotMatch(JSON.stringify(faults), /hunter2/)
})

test('an empty value is an error that says to leave the setting out', () => {
  const [fault] = faultsOf(sources({ SMTP_URL: '' }))
  assert.match(fault?.message ?? '', /is empty; remove it/)
})

test('a public URL of another machine requires https and mail, or INSECURE_HTTP=yes', () => {
  assert.deepEqual(codes({ PUBLIC_URL: 'http://auth.example.com' }), {
    GATELODGE_PUBLIC_URL: 'conflict',
    GATELODGE_SMTP_URL: 'conflict',
  })
  assert.deepEqual(codes({ PUBLIC_URL: 'https://auth.example.com' }), { GATELODGE_SMTP_URL: 'conflict' })
  assert.deepEqual(codes({ ...online, PUBLIC_URL: 'http://auth.example.com' }), { GATELODGE_PUBLIC_URL: 'conflict' })
  for (const { message } of faultsOf(sources({ PUBLIC_URL: 'http://auth.example.com' }))) {
    assert.match(message, /GATELODGE_INSECURE_HTTP=yes/)
  }

  assert.deepEqual(readConfig(sources(online)).warnings, [])
  assert.equal(readConfig(sources({ PUBLIC_URL: 'http://auth.example.com', INSECURE_HTTP: 'yes' })).warnings.length, 1)
})

test('an error in one setting causes none in the settings derived from it', () => {
  assert.deepEqual(
    codes({ LISTEN: 'x', SESSION_ABSOLUTE: 'x', DATABASE: 'x', SMTP_URL: 'smtp://localhost', WORKERS: '2' }),
    {
      GATELODGE_LISTEN: 'invalid',
      GATELODGE_SESSION_ABSOLUTE: 'invalid',
      GATELODGE_DATABASE: 'invalid',
    },
  )
})

test('variables that Kubernetes sets for a Service of our name are ignored with one warning, misspelt ones are not', () => {
  const links = {
    PORT: 'tcp://10.96.0.7:3000',
    SERVICE_HOST: '10.96.0.7',
    SERVICE_PORT: '3000',
    SERVICE_PORT_HTTP: '3000',
    SERVICE_PORT_METRICS_2: '9100',
    PORT_3000_TCP: 'tcp://10.96.0.7:3000',
    PORT_3000_TCP_ADDR: '10.96.0.7',
    PORT_3000_TCP_PORT: '3000',
    PORT_3000_TCP_PROTO: 'tcp',
    PORT_53_UDP_ADDR: 'fd00::7',
    PORT_53_SCTP: 'sctp://[fd00::7]:53',
    MAIL_SERVICE_HOST: '10.96.0.8',
    MAIL_PORT: 'udp://10.96.0.8:25',
    MAIL_V2_PORT_25_TCP_PROTO: 'tcp',
  }
  const { warnings } = readConfig(sources(links))
  assert.deepEqual([warnings.length, /Kubernetes/.test(warnings[0] ?? '')], [1, true])
  assert.doesNotMatch(warnings.join(), /10\.96/)
  for (const name of [
    'PORTS',
    'SERVICE_HOSTS',
    'SERVICE_NAMES',
    'SERVICE_PORTS',
    'PORT_3000',
    'PORT_HTTP_TCP',
    'PORT_3000_TCP_HOST',
    'LISTEN_PORT_NUMBER',
    'PORT_3000_TCP_ADDR_FILE',
  ])
    assert.deepEqual(codes({ ...links, [name]: '1' }), { [`GATELODGE_${name}`]: 'unknown' }, name)
  // The name matches, but Kubernetes sets no such value: the operator meant LISTEN.
  for (const [name, value] of [
    ['PORT', '3000'],
    ['PORT', ''],
    ['LISTEN_PORT', '127.0.0.1:3000'],
  ] as const)
    assert.deepEqual(codes({ [name]: value }), { [`GATELODGE_${name}`]: 'unknown' }, name)
})

test('a byte order mark before a secret or a config file is removed', () => {
  const env = { GATELODGE_SECRET_FILE: 's', GATELODGE_SMTP_URL_FILE: 'm' }
  const texts: Readonly<Record<string, string>> = { s: `\uFEFF${'s'.repeat(32)}\r\n`, m: '\uFEFFsmtp://localhost:25' }
  const file = { path: 'g.json', text: '\uFEFF{"log_level": "error"}' }
  const { config } = readConfig({ env, flags: {}, file, readFile: (path) => texts[path] ?? assert.fail(path) })
  assert.deepEqual([config.secret, config.smtp?.port, config.logLevel], ['s'.repeat(32), 25, 'error'])
})

test('an earlier secret that began with the mark still works with a second mark, as the changelog says', () => {
  const env = { GATELODGE_SECRET_FILE: 's' }
  const { config } = readConfig({ env, flags: {}, readFile: () => `\uFEFF\uFEFF${'s'.repeat(32)}\n` })
  assert.equal(config.secret, `\uFEFF${'s'.repeat(32)}`)
})

test('a file that is not UTF-8 is rejected by its name, whatever its encoding', () => {
  const texts = ['s'.repeat(40), 'schlüssel'.repeat(5), '{"log_level": "error"}', '密'.repeat(40)]
  const mangled = texts.flatMap((text) => [
    Buffer.from(`\uFEFF${text}`, 'utf16le'),
    Buffer.from(`\uFEFF${text}`, 'utf16le').swap16(),
    Buffer.from(`${text}\n`, 'utf16le'),
    Buffer.concat([Buffer.from(text), Buffer.from([0xff])]),
    Buffer.from(`${text}é`, 'latin1'),
    Buffer.from(`${text}\0`),
  ])
  for (const bytes of mangled) {
    const text = bytes.toString('utf8')
    const env = { GATELODGE_SECRET_FILE: '/run/s', GATELODGE_SMTP_URL_FILE: '/run/m' }
    const faults = faultsOf({ env, flags: {}, file: { path: 'g.json', text }, readFile: () => text })
    assert.deepEqual(faults.map(({ field, code }) => [field, code]).sort(), [
      ['--config', 'encoding'],
      ['GATELODGE_SECRET_FILE', 'encoding'],
      ['GATELODGE_SMTP_URL_FILE', 'encoding'],
    ])
    assert.match(faults.map(({ message }) => message).join(), /\/run\/s.*UTF-8/)
  }
})

test('a single Kubernetes variable is reported in the singular', () => {
  const [one] = readConfig(sources({ SERVICE_HOST: '10.96.0.7' })).warnings
  assert.match(one ?? '', /^1 variable that .* is ignored;.* to remove it/)
})

test('several workers and a direct connection require PostgreSQL', () => {
  assert.deepEqual(codes({ WORKERS: '2', DATABASE_DIRECT: 'postgres://db' }), {
    GATELODGE_WORKERS: 'conflict',
    GATELODGE_DATABASE_DIRECT: 'conflict',
  })
})

test('several workers require a mail server, since the development mailbox belongs to one process', () => {
  const postgres = { WORKERS: '2', DATABASE: 'postgres://db' }
  assert.deepEqual(codes(postgres), { GATELODGE_WORKERS: 'conflict' })
  assert.equal(readConfig(sources({ ...postgres, SMTP_URL: 'smtp://localhost' })).config.workers, 2)
})

test('metrics are never served on the public port, whatever the name of the machine', () => {
  assert.deepEqual(codes({ METRICS_LISTEN: '127.0.0.1:3000' }), { GATELODGE_METRICS_LISTEN: 'conflict' })
  assert.deepEqual(codes({ METRICS_LISTEN: '[::1]:80', LISTEN: '0.0.0.0:80' }), {
    GATELODGE_METRICS_LISTEN: 'conflict',
  })
  assert.deepEqual(readConfig(sources({ METRICS_LISTEN: '127.0.0.1:0', LISTEN: '127.0.0.1:0' })).warnings, [])
})

test('each dangerous or ineffective choice causes one warning', () => {
  const count = (env: Record<string, string>, flags = {}) => readConfig({ ...sources(env), flags }).warnings.length
  assert.equal(count({ RATE_LIMITS: 'off' }), 1)
  assert.equal(count({ INSECURE_HTTP: 'yes' }), 1)
  assert.equal(count({ ENUMERATION: 'explicit' }), 1)
  assert.equal(count({ REGISTRATION: 'instant' }), 1)
  assert.equal(count({ PASSWORD_MIN_LENGTH: '7' }), 1)
  assert.equal(count({ ALLOWED_ORIGINS: 'http://localhost:5173,http://app.example.com' }), 1)
  assert.equal(count({ FRONTEND_URL: 'http://app.example.com' }), 1)
  assert.equal(count({ FRONTEND_URL: 'http://localhost:5173' }), 0)
  assert.equal(count({ SMTP_URL: 'smtp://mail.example.com?tls=never' }), 1)
  assert.equal(count({ SMTP_URL: 'smtp://127.0.0.1?tls=never' }), 0)
  assert.equal(count({ TRUSTED_PROXIES: '0.0.0.0/0' }), 1)
  assert.equal(count({ METRICS_LISTEN: '127.0.0.1:9100' }), 0)
  assert.equal(count({ METRICS_LISTEN: '0.0.0.0:9100' }), 1)
  assert.equal(count({}, { secret: 'x'.repeat(32) }), 1)
  assert.equal(count({}, { database: 'sqlite::memory:' }), 0)
})

test('loopback includes every name of this machine and nothing else', () => {
  const here = ['localhost', 'LOCALHOST', 'app.localhost', '127.0.0.1', '127.9.9.9', '::1', '[::1]', '::ffff:127.0.0.1']
  const elsewhere = ['example.com', 'localhost.example.com', '127.0.0.1.example.com', '0.0.0.0', '::', '10.0.0.1', '']
  assert.deepEqual(here.filter(isLoopbackHost), here)
  assert.deepEqual(elsewhere.filter(isLoopbackHost), [])
})

test('the manual has exactly one line for each setting', () => {
  const lines = renderSettingsTable().trimEnd().split('\n')
  assert.equal(lines.length, names.length + 2)
  for (const line of lines) assert.equal(line.split('|').length, 8, line)
  assert.match(renderSettingsTable(), /GATELODGE_DATABASE_DIRECT_FILE/)
})

function sources(env: Record<string, string>): ConfigSources {
  return {
    env: Object.fromEntries(Object.entries(env).map(([name, value]) => [`GATELODGE_${name}`, value])),
    flags: {},
    readFile: () => {
      throw new Error('no such file')
    },
  }
}

function faultsOf(given: ConfigSources): readonly FieldFault[] {
  try {
    readConfig(given)
  } catch (error) {
    assert.ok(error instanceof AuthError)
    assert.equal(error.code, 'config_invalid')
    return error.faults
  }
  assert.fail('nothing was refused')
}

function codes(env: Record<string, string>): Record<string, string> {
  return Object.fromEntries(faultsOf(sources(env)).map(({ field, code }) => [field, code]))
}
