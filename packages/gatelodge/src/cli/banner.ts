import type { Config, Listen } from '../config.ts'
import { settings } from '../config.ts'
import { isLoopbackUrl } from '../kernel/loopback.ts'
import { version } from '../kernel/version.ts'
import type { Result } from './command.ts'
import { columns } from './text.ts'

interface Started {
  readonly config: Config
  readonly address: Listen
  /** Address of the metrics endpoint, if enabled. */
  readonly metrics: Listen | null
  readonly warnings: readonly string[]
}

/** Returns what a server prints once it is running: its address, where mails go, and what to do next. */
export function banner({ config, address: listen, metrics: scraped, warnings }: Started): Result {
  const { publicUrl: url, smtp, workers } = config
  const metrics = scraped && `http://${formatListen(scraped)}/metrics`
  const mailbox = smtp === null && isLoopbackUrl(url) ? `${url}/dev/mailbox` : null
  const mailServer = smtp === null ? null : `${smtp.host}:${smtp.port}`
  const database = databaseName(config.database)

  const facts = columns([
    ['  URL', url],
    ['  Listening', formatListen(listen)],
    ['  API', `${url}/docs`],
    mailbox
      ? ['  Mailbox', `${mailbox} (no mail server is configured: mails stay here)`]
      : ['  Mail server', mailServer ?? 'none: mails are not delivered, and links are only printed here'],
    ['  Database', database],
    ...(workers > 1 ? [['  Workers', String(workers)]] : []),
    ...(metrics ? [['  Metrics', metrics]] : []),
  ])
  const loud = warnings.map((warning) => `\n  WARNING: ${warning}`).join('')
  return {
    json: {
      event: 'started',
      name: 'gatelodge',
      version,
      url,
      listen,
      docs: `${url}/docs`,
      mailbox,
      mail_server: mailServer,
      database,
      workers,
      metrics,
      warnings,
    },
    text: `\nGatelodge ${version}\n\n${facts}\n${loud}${loud && '\n'}\n${nextSteps(config)}\n`,
  }
}

function nextSteps({ publicUrl, registration }: Config): string {
  if (registration === 'admin' || registration === 'closed') {
    return `Next: create accounts with "gatelodge user create --email EMAIL --invite" (${settings.registration.env}=${registration}).`
  }
  return `Next: sign up at ${publicUrl}/register, then use the link in the mail.`
}

/** Returns the database setting without credentials. */
function databaseName(database: Config['database']): string {
  if (database.kind === 'sqlite') return `sqlite:${database.path}`

  const { host, pathname } = new URL(database.url)
  return `postgres://${host}${pathname}`
}

function formatListen({ host, port }: Listen): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
