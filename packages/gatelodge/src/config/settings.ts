import {
  audience,
  avatarPlace,
  baseUrl,
  color,
  contact,
  credential,
  database,
  duration,
  either,
  folder,
  formatMailbox,
  greetingName,
  type Listen,
  listen,
  mailbox,
  mailDomain,
  networks,
  oneOf,
  origin,
  origins,
  passwordCost,
  postgresUrl,
  type SettingType,
  secretText,
  smtpName,
  smtpUrl,
  title,
  webPage,
  wholeNumber,
} from './parsers.ts'

/** One setting: its three names, its parser, its default (null for none) and its description in the manual. */
export interface Setting<T> {
  readonly env: string
  readonly flag: string
  /** Name in the config file: the environment variable in lowercase, without its prefix. */
  readonly fileKey: string
  readonly parse: (text: string) => NonNullable<T> | undefined
  readonly form: string
  readonly default: string | DerivedDefault | null
  readonly doc: string
  /** Never shown. May also be read from the file named by `X_FILE`. */
  readonly secret: boolean
}

/** A default derived from other settings; `shown` describes it in the manual. */
export interface DerivedDefault {
  readonly shown: string
  readonly reads: readonly (keyof Earlier)[]
  readonly from: (earlier: Earlier) => string
}

/** The settings that derived defaults use. Their rows precede the rows that use them. */
interface Earlier {
  readonly listen: Listen
  readonly publicUrl: string
  readonly serviceName: string
}

type Fallback = string | DerivedDefault
type Value = NonNullable<unknown>

/** Every setting, in the order of the manual. Names, parsers, defaults and documentation are defined only here. */
export const settings = {
  listen: row('GATELODGE_LISTEN', listen, '127.0.0.1:3000', 'The address and port the server listens on.'),
  publicUrl: row(
    'GATELODGE_PUBLIC_URL',
    origin,
    {
      shown: '`http://localhost:PORT`, the port of `GATELODGE_LISTEN`',
      reads: ['listen'],
      from: (earlier) => `http://localhost:${earlier.listen.port}`,
    },
    'Where people reach the server: the start of every link and the issuer of every token.',
  ),
  serviceName: row('GATELODGE_SERVICE_NAME', title, 'Gatelodge', 'The name people see on pages and in mails.'),
  accent: row(
    'GATELODGE_ACCENT',
    color,
    null,
    'The colour of buttons and links on pages and in mails, darkened or lightened until it can be read (WCAG AA). A setting ' +
      'because mails cannot load a style sheet.',
  ),
  logo: row(
    'GATELODGE_LOGO',
    folder,
    null,
    'A picture in place of our mark on pages and in the browser’s tab: SVG or PNG, square, at most 64 KiB. A setting because ' +
      'the server has to serve it: pages load nothing from elsewhere.',
  ),
  themeCss: row(
    'GATELODGE_THEME_CSS',
    folder,
    null,
    'A style sheet that comes after ours, at most 64 KiB, with data: as its only pictures. A setting because it is the one ' +
      'place for every other wish about the look.',
  ),
  termsUrl: row(
    'GATELODGE_TERMS_URL',
    webPage,
    null,
    'Your terms, linked on every page and at sign-up. A setting because many laws ask for it.',
  ),
  privacyUrl: row(
    'GATELODGE_PRIVACY_URL',
    webPage,
    null,
    'Your privacy policy, linked in the same places for the same reason.',
  ),
  database: secret(
    row(
      'GATELODGE_DATABASE',
      database,
      'sqlite:./data/gatelodge.db',
      'Where accounts are stored. `sqlite::memory:` is a private temporary file, deleted at exit. PostgreSQL off this machine is ' +
        'reached by TLS with a checked certificate (`require` checks it as well) unless `sslmode=disable` is given.',
    ),
  ),
  databaseDirect: secret(
    row(
      'GATELODGE_DATABASE_DIRECT',
      postgresUrl,
      null,
      'PostgreSQL past a connection pooler, for the listener, which a pooler cannot carry.',
    ),
  ),
  dataDir: row(
    'GATELODGE_DATA_DIR',
    folder,
    './data',
    'The folder of the secret made at the first start and of avatars.',
  ),
  secret: secret(
    row(
      'GATELODGE_SECRET',
      secretText,
      null,
      'Everything sealed is sealed under keys derived from it. When unset, one is made once and kept in the data folder.',
    ),
  ),
  avatars: row(
    'GATELODGE_AVATARS',
    avatarPlace,
    'folder',
    'Where avatars are stored: `folder` is `avatars` in the data folder. A setting because several machines share a bucket, not a folder.',
  ),
  avatarsKeyId: secret(
    row('GATELODGE_AVATARS_KEY_ID', credential, null, 'The access key id for the bucket of `GATELODGE_AVATARS`.'),
  ),
  avatarsSecretKey: secret(
    row('GATELODGE_AVATARS_SECRET_KEY', credential, null, 'The secret access key that belongs to it.'),
  ),
  smtp: secret(
    row(
      'GATELODGE_SMTP_URL',
      smtpUrl,
      null,
      'The mail server; when unset, mails go to the development mailbox, which is shown only while the public URL is loopback. `smtp://` upgrades to TLS when that is offered, ' +
        'and must off loopback. Ports unless given: 587, and 465 for `smtps://`.',
    ),
  ),
  smtpName: row(
    'GATELODGE_SMTP_NAME',
    smtpName,
    {
      shown: 'the host of the public URL, or `localhost` when that is no domain name',
      reads: ['publicUrl'],
      from: ({ publicUrl }) => greetingName(publicUrl),
    },
    'The name by which the server greets the mail server (EHLO). A setting because strict relays want the name that this machine has in the DNS.',
  ),
  mailFrom: row(
    'GATELODGE_MAIL_FROM',
    mailbox,
    {
      shown: '`SERVICE_NAME <no-reply@HOST>`, the host of the public URL',
      reads: ['publicUrl', 'serviceName'],
      from: ({ publicUrl, serviceName }) =>
        formatMailbox({ name: serviceName, address: `no-reply@${mailDomain(publicUrl)}` }),
    },
    'The sender of every mail.',
  ),
  frontendUrl: row(
    'GATELODGE_FRONTEND_URL',
    baseUrl,
    null,
    'Links in mails point to the same paths below this URL instead of the hosted pages.',
  ),
  allowedOrigins: row(
    'GATELODGE_ALLOWED_ORIGINS',
    origins,
    '',
    'Other origins whose pages may call the API with cookies, as if they were our own.',
  ),
  trustedProxies: row(
    'GATELODGE_TRUSTED_PROXIES',
    networks,
    '',
    'Proxies whose forwarding headers tell the address of a client. From anybody else those headers are ignored.',
  ),
  registration: row(
    'GATELODGE_REGISTRATION',
    oneOf('verify', 'instant', 'admin', 'closed'),
    'verify',
    'Who may make accounts: anybody who proves the address, anybody at once, administrators, or nobody over HTTP.',
  ),
  enumeration: row(
    'GATELODGE_ENUMERATION',
    oneOf('blind', 'explicit'),
    'blind',
    '`explicit` tells whether an address has an account at sign-up and resend; `blind` never does.',
  ),
  username: row(
    'GATELODGE_USERNAME',
    oneOf('optional', 'required', 'off'),
    'optional',
    'Whether accounts have usernames.',
  ),
  usernameCheck: row(
    'GATELODGE_USERNAME_CHECK',
    either('on', 'off'),
    'on',
    'Whether anybody may ask if a username is available.',
  ),
  passwordMinLength: row(
    'GATELODGE_PASSWORD_MIN_LENGTH',
    wholeNumber(6, 64),
    '8',
    'The fewest characters (code points) of a new password. 15 is advised where no second factor is required.',
  ),
  passwordHash: row(
    'GATELODGE_PASSWORD_HASH',
    passwordCost,
    'm=19456,t=2,p=1', // the first recommendation of the OWASP cheat sheet
    'The cost of argon2id for new hashes; older ones are renewed at sign-in. A setting because memory and time to spare ' +
      'differ by machine, and the cost has to rise with the years.',
  ),
  sessionAbsolute: row('GATELODGE_SESSION_ABSOLUTE', duration, '30d', 'How long a session lasts at most.'),
  sessionIdle: row(
    'GATELODGE_SESSION_IDLE',
    duration,
    '7d',
    'How long a session lasts unused; `GATELODGE_SESSION_ABSOLUTE` ends it all the same.',
  ),
  accessTokenTtl: row(
    'GATELODGE_ACCESS_TOKEN_TTL',
    duration,
    '15m',
    'How long an access token is valid; it ends with its session all the same.',
  ),
  tokenAlgorithm: row(
    'GATELODGE_TOKEN_ALGORITHM',
    oneOf('EdDSA', 'ES256', 'RS256'),
    'EdDSA',
    'How access tokens are signed. Another algorithm has a key of its own, which signs an hour after the first start with it. A setting because some ' +
      'libraries still verify RS256 or ES256 only.',
  ),
  keyRotation: row(
    'GATELODGE_KEY_ROTATION',
    duration,
    '90d',
    'How old a signing key gets before it has a successor; `gatelodge keys rotate` does it now. A setting because policies name a period.',
  ),
  tokenAudience: row(
    'GATELODGE_TOKEN_AUDIENCE',
    audience,
    null,
    'The `aud` of access tokens; when unset, the public URL.',
  ),
  refreshGrace: row(
    'GATELODGE_REFRESH_GRACE',
    duration,
    '10s',
    'How long a spent refresh token still gives its one successor, for answers lost on the way.',
  ),
  reauthenticationWindow: row(
    'GATELODGE_REAUTHENTICATION_WINDOW',
    duration,
    '15m',
    'How old the last proof of identity may be before an e-mail change, an export or a deletion. A setting because an ' +
      'unlocked device at home and one at a shared desk bear different risks.',
  ),
  verifyTtl: row(
    'GATELODGE_VERIFY_TTL',
    duration,
    '24h',
    'How long a verification link works and a pending sign-up is kept.',
  ),
  resetTtl: row('GATELODGE_RESET_TTL', duration, '30m', 'How long a password reset link works.'),
  eventRetention: row(
    'GATELODGE_EVENT_RETENTION',
    duration,
    '365d',
    'How long audit events are kept; those that strangers cause without an account no longer than seven days. A setting because laws and contracts differ in ' +
      'how long they must be, and may be.',
  ),
  workers: row(
    'GATELODGE_WORKERS',
    wholeNumber(1, 64),
    '1',
    'The number of processes that serve on this machine, best one for each core. More than 1 needs PostgreSQL and a mail server; each has ' +
      'a pool of connections of its own.',
  ),
  logLevel: row(
    'GATELODGE_LOG_LEVEL',
    oneOf('debug', 'info', 'warn', 'error', 'silent'),
    'info',
    'The least severe log line that is written.',
  ),
  metricsListen: row(
    'GATELODGE_METRICS_LISTEN',
    listen,
    null,
    'Where Prometheus reads figures, at `/metrics`; when unset, none are kept. It asks for no credential: best on loopback.',
  ),
  securityContact: row(
    'GATELODGE_SECURITY_CONTACT',
    contact,
    null,
    'Where to report a vulnerability: the contact for `/.well-known/security.txt` (RFC 9116).',
  ),
  rateLimits: row(
    'GATELODGE_RATE_LIMITS',
    either('on', 'off'),
    'on',
    '`off` lifts every counter and delay, the stop after 100 failures and the ceiling of what strangers may add. It exists for load tests.',
  ),
  insecureHttp: row(
    'GATELODGE_INSECURE_HTTP',
    either('yes', 'no'),
    'no',
    '`yes` lets a server whose public URL is off loopback start over plain http or without `GATELODGE_SMTP_URL`.',
  ),
} satisfies Record<string, Setting<unknown>>

export type SettingKey = keyof typeof settings

/** Every setting with its parsed value: durations in ms, null for a setting that is not set and has no default. */
export type Config = {
  readonly [Key in SettingKey]: (typeof settings)[Key] extends Setting<infer Value> ? Value : never
}

function row<T extends Value>(env: string, form: SettingType<T>, fallback: Fallback, doc: string): Setting<T>
function row<T extends Value>(env: string, form: SettingType<T>, fallback: null, doc: string): Setting<T | null>
function row<T extends Value>(
  env: string,
  form: SettingType<T>,
  fallback: Fallback | null,
  doc: string,
): Setting<T | null> {
  const fileKey = env.replace('GATELODGE_', '').toLowerCase()
  const flag = `--${fileKey.replaceAll('_', '-')}`
  return { env, flag, fileKey, ...form, default: fallback, doc, secret: false }
}

function secret<T>(setting: Setting<T>): Setting<T> {
  return { ...setting, secret: true }
}
