import { mask, withoutPassword } from './masks.ts'
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
  /** The only values that it accepts, if they can be listed. */
  readonly choices?: readonly string[]
  readonly default: string | DerivedDefault | null
  readonly doc: string
  /** Whether it is or contains a secret. May then also be read from the file named by `X_FILE`. */
  readonly secret: boolean
  /** Returns what may be shown of a text of this setting. */
  readonly masked: (text: string) => string
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
  listen: row('GATELODGE_LISTEN', listen, '127.0.0.1:3000', 'The address and port that the server listens on.'),
  publicUrl: row(
    'GATELODGE_PUBLIC_URL',
    origin,
    {
      shown: '`http://localhost:PORT`, the port of `GATELODGE_LISTEN`',
      reads: ['listen'],
      from: (earlier) => `http://localhost:${earlier.listen.port}`,
    },
    'The URL at which users reach the server: the base of every link and the issuer of every token.',
  ),
  serviceName: row('GATELODGE_SERVICE_NAME', title, 'Gatelodge', 'The name that users see on pages and in mails.'),
  accent: row(
    'GATELODGE_ACCENT',
    color,
    null,
    'The colour of buttons and links on pages and in mails, darkened or lightened until it is readable (WCAG AA). A setting ' +
      'because mails cannot load a style sheet.',
  ),
  logo: row(
    'GATELODGE_LOGO',
    folder,
    null,
    'A picture that replaces the Gatelodge logo on pages and in the browser tab: SVG or PNG, square, at most 64 KiB. A setting because ' +
      'the server has to serve it: pages load nothing from other hosts.',
  ),
  themeCss: row(
    'GATELODGE_THEME_CSS',
    folder,
    null,
    'A style sheet that is loaded after the built-in one, at most 64 KiB, with pictures only as data: URLs. A setting because it ' +
      'allows every other change to the look.',
  ),
  termsUrl: row(
    'GATELODGE_TERMS_URL',
    webPage,
    null,
    'Your terms of service, linked on every page and at sign-up. A setting because many laws require it.',
  ),
  privacyUrl: row(
    'GATELODGE_PRIVACY_URL',
    webPage,
    null,
    'Your privacy policy, linked in the same places for the same reason.',
  ),
  database: secretInUrl(
    row(
      'GATELODGE_DATABASE',
      database,
      'sqlite:./data/gatelodge.db',
      'Where accounts are stored. `sqlite::memory:` is a private temporary file, deleted at exit. PostgreSQL on another machine is ' +
        'reached over TLS with a verified certificate (`require` verifies it too) unless `sslmode=disable` is given.',
    ),
  ),
  databaseDirect: secretInUrl(
    row(
      'GATELODGE_DATABASE_DIRECT',
      postgresUrl,
      null,
      'The direct URL of a PostgreSQL server behind a connection pooler, for the listener, which does not work through a pooler.',
    ),
  ),
  dataDir: row(
    'GATELODGE_DATA_DIR',
    folder,
    './data',
    'The folder for avatars and for the secret that is created at the first start.',
  ),
  secret: secret(
    row(
      'GATELODGE_SECRET',
      secretText,
      null,
      'The keys that encrypt stored secrets are derived from it. When unset, one is created once and stored in the data folder.',
    ),
  ),
  avatars: row(
    'GATELODGE_AVATARS',
    avatarPlace,
    'folder',
    'Where avatars are stored: `folder` is `avatars` in the data folder. A setting because several machines can share a bucket but not a folder.',
  ),
  avatarsKeyId: secret(
    row('GATELODGE_AVATARS_KEY_ID', credential, null, 'The access key ID for the bucket of `GATELODGE_AVATARS`.'),
  ),
  avatarsSecretKey: secret(
    row(
      'GATELODGE_AVATARS_SECRET_KEY',
      credential,
      null,
      'The secret access key for the bucket of `GATELODGE_AVATARS`.',
    ),
  ),
  smtp: secretInUrl(
    row(
      'GATELODGE_SMTP_URL',
      smtpUrl,
      null,
      'The mail server. When unset, mails go to the development mailbox, which is available only while the public URL is loopback. `smtp://` upgrades to TLS when the server offers it, ' +
        'and requires it off loopback. Default ports: 587, and 465 for `smtps://`.',
    ),
  ),
  smtpName: row(
    'GATELODGE_SMTP_NAME',
    smtpName,
    {
      shown: 'the host of the public URL, or `localhost` if that is not a domain name',
      reads: ['publicUrl'],
      from: ({ publicUrl }) => greetingName(publicUrl),
    },
    'The name with which the server greets the mail server (EHLO). A setting because strict relays expect the name that this machine has in the DNS.',
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
    'Other origins whose pages may call the API with cookies, like the pages of this server.',
  ),
  trustedProxies: row(
    'GATELODGE_TRUSTED_PROXIES',
    networks,
    '',
    'Proxies that are trusted to give the address of a client in forwarding headers. The headers are ignored from all other peers.',
  ),
  registration: row(
    'GATELODGE_REGISTRATION',
    oneOf('verify', 'instant', 'admin', 'closed'),
    'verify',
    'Who may create accounts: anyone who verifies the email address, anyone immediately, administrators, or no one over HTTP.',
  ),
  enumeration: row(
    'GATELODGE_ENUMERATION',
    oneOf('blind', 'explicit'),
    'blind',
    '`explicit` reveals at sign-up and resend whether an address has an account; `blind` never does.',
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
    'Whether anyone may check if a username is available.',
  ),
  passwordMinLength: row(
    'GATELODGE_PASSWORD_MIN_LENGTH',
    wholeNumber(6, 64),
    '8',
    'The minimum length of a new password, in characters (code points). 15 is recommended where no second factor is required.',
  ),
  passwordHash: row(
    'GATELODGE_PASSWORD_HASH',
    passwordCost,
    'm=19456,t=2,p=1', // the first recommendation of the OWASP cheat sheet
    'The cost of argon2id for new hashes; older ones are upgraded at sign-in. A setting because available memory and time ' +
      'differ by machine, and the cost has to rise over the years.',
  ),
  sessionAbsolute: row('GATELODGE_SESSION_ABSOLUTE', duration, '30d', 'The maximum lifetime of a session.'),
  sessionIdle: row(
    'GATELODGE_SESSION_IDLE',
    duration,
    '7d',
    'How long a session lasts without use; `GATELODGE_SESSION_ABSOLUTE` ends it in any case.',
  ),
  accessTokenTtl: row(
    'GATELODGE_ACCESS_TOKEN_TTL',
    duration,
    '15m',
    'How long an access token is valid; it ends with its session in any case.',
  ),
  tokenAlgorithm: row(
    'GATELODGE_TOKEN_ALGORITHM',
    oneOf('EdDSA', 'ES256', 'RS256'),
    'EdDSA',
    'The algorithm that signs access tokens. Each algorithm has its own key, and a new one signs an hour after the first start with it. A setting because some ' +
      'libraries can still verify only RS256 or ES256.',
  ),
  keyRotation: row(
    'GATELODGE_KEY_ROTATION',
    duration,
    '90d',
    'The age at which a signing key gets a successor; `gatelodge keys rotate` adds one immediately. A setting because policies prescribe a period.',
  ),
  tokenAudience: row(
    'GATELODGE_TOKEN_AUDIENCE',
    audience,
    null,
    'The `aud` claim of access tokens; when unset, the public URL.',
  ),
  refreshGrace: row(
    'GATELODGE_REFRESH_GRACE',
    duration,
    '10s',
    'How long a spent refresh token still returns its one successor, in case a response was lost.',
  ),
  reauthenticationWindow: row(
    'GATELODGE_REAUTHENTICATION_WINDOW',
    duration,
    '15m',
    'How recent the last sign-in or re-authentication must be for an email change, an export or a deletion. A setting because an ' +
      'unlocked device at home and one at a shared desk carry different risks.',
  ),
  verifyTtl: row(
    'GATELODGE_VERIFY_TTL',
    duration,
    '24h',
    'How long a verification link is valid and a pending sign-up is kept.',
  ),
  resetTtl: row('GATELODGE_RESET_TTL', duration, '30m', 'How long a password reset link is valid.'),
  eventRetention: row(
    'GATELODGE_EVENT_RETENTION',
    duration,
    '365d',
    'How long audit events are kept. Those that strangers cause without an account are kept for at most seven days. A setting because laws and contracts differ in ' +
      'how long events must and may be kept.',
  ),
  workers: row(
    'GATELODGE_WORKERS',
    wholeNumber(1, 64),
    '1',
    'The number of processes that serve on this machine, ideally one per core. More than 1 requires PostgreSQL and a mail server; each process ' +
      'has its own connection pool.',
  ),
  logLevel: row(
    'GATELODGE_LOG_LEVEL',
    oneOf('debug', 'info', 'warn', 'error', 'silent'),
    'info',
    'The least severe level that is logged.',
  ),
  metricsListen: row(
    'GATELODGE_METRICS_LISTEN',
    listen,
    null,
    'The address at which Prometheus reads `/metrics`; when unset, no metrics are collected. It requires no credentials, so keep it on loopback.',
  ),
  securityContact: row(
    'GATELODGE_SECURITY_CONTACT',
    contact,
    null,
    'Where to report a vulnerability: the contact in `/.well-known/security.txt` (RFC 9116).',
  ),
  rateLimits: row(
    'GATELODGE_RATE_LIMITS',
    either('on', 'off'),
    'on',
    '`off` disables every rate limit and delay, the lockout after 100 failures and the ceiling on what strangers may add. It exists for load tests.',
  ),
  insecureHttp: row(
    'GATELODGE_INSECURE_HTTP',
    either('yes', 'no'),
    'no',
    '`yes` allows a server whose public URL is off loopback to start over plain http or without `GATELODGE_SMTP_URL`.',
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
  return { env, flag, fileKey, ...form, default: fallback, doc, secret: false, masked: (text) => text }
}

function secret<T>(setting: Setting<T>): Setting<T> {
  return { ...setting, secret: true, masked: () => mask }
}

/** A setting that may be a URL with a password, which is the only secret in it. */
function secretInUrl<T>(setting: Setting<T>): Setting<T> {
  return { ...setting, secret: true, masked: withoutPassword }
}
