import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Config, readConfig } from '../config.ts'
import { AuthError } from '../kernel/errors.ts'

const online = { PUBLIC_URL: 'https://auth.example.com', SMTP_URL: 'smtp://mail.example.com' }

test('LISTEN accepts a host or an address with a port', () => {
  const read = (text: string) => configOf({ LISTEN: text }).listen
  assert.deepEqual(read('[::1]:3000'), { host: '::1', port: 3000 })
  assert.deepEqual(read('0.0.0.0:0'), { host: '0.0.0.0', port: 0 })
  assert.deepEqual(read('gate.local:65535'), { host: 'gate.local', port: 65_535 })
  refuses('LISTEN', [
    '3000',
    ':3000',
    '127.0.0.1',
    '::1:3000',
    '[zz]:1',
    '[127.0.0.1]:1',
    'a:65536',
    'a:-1',
    'a b:1',
    '*:1',
  ])
})

test('PUBLIC_URL is an origin and follows the port of LISTEN when not set', () => {
  const read = (env: Record<string, string>) => configOf(env).publicUrl
  assert.equal(read({ LISTEN: '127.0.0.1:4000' }), 'http://localhost:4000')
  assert.equal(read({ ...online, PUBLIC_URL: 'HTTPS://Auth.Example.com:443/' }), 'https://auth.example.com')
  assert.equal(read({ PUBLIC_URL: 'http://[::1]:8080' }), 'http://[::1]:8080')
  const host = 'https://a.example.com'
  refuses('PUBLIC_URL', [`${host}/x`, `${host}?`, `${host}#`, `${host}?x=1`, 'https://u:p@a.example.com', 'ftp://a'])
  refuses('PUBLIC_URL', [
    'a.example.com',
    'https://',
    'https://*.example.com',
    'https:\\\\a',
    ` ${host}`,
    'https://a:99999',
  ])
})

test('ALLOWED_ORIGINS and TRUSTED_PROXIES are lists', () => {
  const config = configOf({
    ALLOWED_ORIGINS: 'https://a.example.com, https://b.example.com:8443',
    TRUSTED_PROXIES: '10.0.0.0/8, ::1,fd00::/8,192.0.2.7',
  })
  assert.deepEqual(config.allowedOrigins, ['https://a.example.com', 'https://b.example.com:8443'])
  assert.deepEqual(config.trustedProxies, ['10.0.0.0/8', '::1', 'fd00::/8', '192.0.2.7'])
  assert.deepEqual(configOf({ ALLOWED_ORIGINS: '' }).allowedOrigins, [])
  refuses('ALLOWED_ORIGINS', ['*', 'null', 'https://a/x', 'https://a,', 'https://*.a.example'])
  refuses('TRUSTED_PROXIES', [
    'proxy',
    '10.0.0.0/33',
    '::1/129',
    '10.0.0.0/',
    '10.0.0',
    '10.0.0.1,,10.0.0.2',
    'fe80::1%eth0',
  ])
})

test('FRONTEND_URL may have a path, and a trailing slash is removed', () => {
  assert.equal(configOf({ FRONTEND_URL: 'https://a.example/app/' }).frontendUrl, 'https://a.example/app')
  refuses('FRONTEND_URL', ['https://a.example/?x', 'https://u@a.example/', 'javascript:alert(1)', 'https://a/#x'])
})

test('DATABASE is SQLite in a file or in memory, or PostgreSQL', () => {
  const read = (text: string) => configOf({ DATABASE: text }).database
  assert.deepEqual(read('sqlite::memory:'), { kind: 'sqlite', path: ':memory:' })
  assert.deepEqual(read('sqlite:/var/lib/g.db'), { kind: 'sqlite', path: '/var/lib/g.db' })
  assert.deepEqual(read('postgresql://u:p@db/g'), { kind: 'postgres', url: 'postgresql://u:p@db/g' })
  refuses('DATABASE', ['sqlite:', 'mysql://db', 'g.db', 'postgres://db:x', 'sqlite:a\0b', 'postgres://db/g?ssl=off'])
  refuses('DATABASE_DIRECT', ['sqlite:x', 'postgres://db/g?sslmode=prefer'])
})

test('unencrypted PostgreSQL on another machine is accepted when requested explicitly, with a warning', () => {
  const warned = (env: Record<string, string>) => read(env).warnings.some((text) => /sslmode=disable/.test(text))
  const [clear, safe] = ['postgres://db/g?sslmode=disable', 'postgres://db/g']
  assert.equal(warned({ DATABASE: clear }), true)
  assert.equal(warned({ DATABASE: safe, DATABASE_DIRECT: clear }), true)
  assert.equal(warned({ DATABASE: safe, DATABASE_DIRECT: safe }), false)
  assert.equal(warned({ DATABASE: 'postgres://127.0.0.1/g' }), false)
})

test('SMTP_NAME defaults to the host of the public URL, with an address written as an address literal', () => {
  const name = (env: Record<string, string>) => configOf({ ...online, ...env }).smtpName
  assert.equal(name({}), 'auth.example.com')
  assert.equal(name({ PUBLIC_URL: 'https://auth.example.com.:8443' }), 'auth.example.com')
  assert.equal(name({ PUBLIC_URL: 'https://grüße.example' }), 'xn--gre-6ka8l.example')
  assert.equal(name({ PUBLIC_URL: 'https://192.0.2.7' }), '[192.0.2.7]')
  assert.equal(name({ PUBLIC_URL: 'https://[2001:db8::7]:8443' }), '[IPv6:2001:db8::7]')
  assert.equal(name({ PUBLIC_URL: 'https://a!b' }), 'localhost')
  assert.equal(name({ SMTP_NAME: 'mail.example.com' }), 'mail.example.com')
  assert.equal(name({ SMTP_NAME: '[192.0.2.7]' }), '[192.0.2.7]')
  for (const host of ['a..b', '-bad.example', 'bad-.example', 'a.-b.example', `${'a'.repeat(64)}.example`]) {
    assert.equal(name({ PUBLIC_URL: `https://${host}` }), 'localhost', host)
    const warnings = (env: Record<string, string>) =>
      read({ ...online, PUBLIC_URL: `https://${host}`, ...env }).warnings
    assert.match(warnings({}).join(), /greeted as "localhost"/)
    assert.deepEqual(warnings({ SMTP_NAME: 'mail.example.com' }), [])
    refuses('SMTP_NAME', [host])
  }
  assert.deepEqual(read({ SMTP_URL: 'smtp://localhost', PUBLIC_URL: 'https://localhost.' }).warnings, [])
  const long = `${'a'.repeat(63)}.`.repeat(3)
  for (const host of ['a', 'my_host', '3com.example', 'a--b.example', `${long}${'b'.repeat(61)}`])
    for (const dot of ['', '.']) assert.equal(name({ SMTP_NAME: `${host}${dot}` }), host)
  refuses('SMTP_NAME', [`${long}${'b'.repeat(62)}`, '.', '.a', 'a..', 'a.7', '256.0.2.7', '192.0.2.7.', '[192.0.2.7].'])
  refuses('SMTP_NAME', ['', 'a b', 'a\r\nMAIL FROM:<x>', '-a', '192.0.2.7', '[x]', '[IPv6:1.2.3.4]', 'ü.example'])
})

test('SMTP_URL requires TLS for other machines unless tls=never', () => {
  const read = (text: string) => configOf({ SMTP_URL: text }).smtp
  assert.deepEqual(read('smtp://mail.example.com'), {
    host: 'mail.example.com',
    port: 587,
    secure: false,
    tls: 'required',
  })
  assert.equal(read('smtp://mail.example.com:25?tls=never')?.tls, 'never')
  assert.deepEqual(read('smtp://[::1]:1025/'), { host: '::1', port: 1025, secure: false, tls: 'opportunistic' })
  assert.deepEqual(read('smtps://ada%40x:p%2Fw@mail.example.com'), {
    host: 'mail.example.com',
    port: 465,
    secure: true,
    auth: { user: 'ada@x', pass: 'p/w' },
    tls: 'required',
  })
  refuses('SMTP_URL', [
    'mail.example.com',
    'http://a',
    'smtp://',
    'smtp://a/x',
    'smtp://a#x',
    'smtp://a?tls=no',
    'smtp://u@a',
  ])
  refuses('SMTP_URL', [
    'smtps://a?tls=never',
    'smtp://:p@a',
    'smtp://u:%zz@a',
    'smtp://a:99999',
    'smtp://a?tls=never&x=1',
  ])
})

test('MAIL_FROM is an address with or without a name and follows service name and public URL', () => {
  const read = (env: Record<string, string>) => configOf(env).mailFrom
  const address = 'a@b.example'
  assert.deepEqual(read({ MAIL_FROM: 'a@b.example' }), { name: '', address })
  assert.deepEqual(read({ MAIL_FROM: 'Ada L. <a@b.example>' }), { name: 'Ada L.', address })
  assert.deepEqual(read({ MAIL_FROM: '"Lovelace, \\"Ada\\"" <a@b.example>' }), { name: 'Lovelace, "Ada"', address })
  assert.deepEqual(read({ ...online, SERVICE_NAME: 'A "<b>" \\' }), {
    name: 'A "<b>" \\',
    address: 'no-reply@auth.example.com',
  })
  assert.equal(read({ PUBLIC_URL: 'http://[::1]:3000' }).address, 'no-reply@[IPv6:::1]')
  refuses('MAIL_FROM', ['a', 'a@', 'A <a>', 'A <a@b> x', 'a@b, c@d', 'A <a@b>, B <c@d>', 'A\r\nBcc: x <a@b>', 'a@b\n'])
})

test('SECRET has 32 or more characters, counted as a reader counts them', () => {
  assert.equal(configOf({ SECRET: '🗝'.repeat(32) }).secret?.length, 64)
  refuses('SECRET', ['🗝'.repeat(31), 'x'.repeat(31)])
})

test('whole numbers, words, names and contacts are validated', () => {
  refuses('PASSWORD_MIN_LENGTH', ['5', '65', '8.5', '0x8', '-8'])
  refuses('WORKERS', ['0', '65', 'many'])
  refuses('REGISTRATION', ['open', 'Verify'])
  refuses('LOG_LEVEL', ['trace'])
  refuses('RATE_LIMITS', ['yes'])
  refuses('SERVICE_NAME', [' x', 'a\nb', 'x'.repeat(65), '\ud800'])
  refuses('TOKEN_AUDIENCE', ['a b', ':x', 'x'.repeat(256)])
  refuses('SECURITY_CONTACT', ['a@b.example', 'http://a.example', 'mailto:a', 'https://a.example\nExpires: never'])

  const config = configOf({ USERNAME_CHECK: 'off', TOKEN_AUDIENCE: 'urn:x:y', SECURITY_CONTACT: 'mailto:a@b.example' })
  assert.deepEqual([config.usernameCheck, config.tokenAudience], [false, 'urn:x:y'])
  assert.equal(config.securityContact, 'mailto:a@b.example')
})

test('every duration setting accepts any positive value', () => {
  const long = [
    'ACCESS_TOKEN_TTL',
    'SESSION_IDLE',
    'VERIFY_TTL',
    'RESET_TTL',
    'REFRESH_GRACE',
    'REAUTHENTICATION_WINDOW',
  ]
  for (const value of ['1ms', '1s', '0.5s', '15m', '7d', '9999d']) {
    configOf({ SESSION_ABSOLUTE: '9999d', ...Object.fromEntries(long.map((name) => [name, value])) })
    configOf({ SESSION_ABSOLUTE: value })
  }
  for (const name of [...long, 'SESSION_ABSOLUTE']) refuses(name, ['0s', '-1s', '15', '1w', '1 h'])
})

test('PASSWORD_HASH is at least as strong as OWASP’s recommendations and uses at most 1 GiB', () => {
  for (const cost of [
    'm=47104,t=1,p=1',
    'm=12288,t=3,p=1',
    'm=9216,t=4,p=1',
    'm=7168,t=5,p=2',
    'm=1048576,t=99,p=99',
  ]) {
    configOf({ PASSWORD_HASH: cost })
  }
  refuses('PASSWORD_HASH', [
    'm=47103,t=1,p=1',
    'm=19455,t=2,p=1',
    'm=12287,t=3,p=1',
    'm=9215,t=4,p=1',
    'm=7167,t=9,p=1',
  ])
  refuses('PASSWORD_HASH', [
    'm=1048577,t=2,p=1',
    'm=19456,t=0,p=1',
    'm=19456,t=2,p=0',
    'm=19456,t=2',
    't=2,m=19456,p=1',
  ])
})

function read(env: Record<string, string>): ReturnType<typeof readConfig> {
  const named = Object.fromEntries(Object.entries(env).map(([name, value]) => [`GATELODGE_${name}`, value]))
  return readConfig({ env: named, flags: {}, readFile: () => '' })
}

function configOf(env: Record<string, string>): Config {
  return read(env).config
}

function refuses(name: string, values: readonly string[]): void {
  for (const value of values) {
    assert.throws(
      () => configOf({ [name]: value }),
      (error) => {
        assert.ok(error instanceof AuthError, value)
        assert.deepEqual(
          error.faults.map(({ field, code }) => [field, code]),
          [[`GATELODGE_${name}`, 'invalid']],
          value,
        )
        return true
      },
    )
  }
}
