import { closeSync, openSync, unlinkSync } from 'node:fs'
import { resolve } from 'node:path'
import { settings } from '../../config.ts'
import { AuthError } from '../../kernel/errors.ts'
import { parsePostgresUrl } from '../../kernel/postgres-url.ts'
import { shellWord } from '../../kernel/shell-word.ts'
import { secretFile } from '../../secret.ts'
import { cannotUse, explainPlace } from '../../store/places.ts'
import { isSqliteThere } from '../../store/sqlite-places.ts'
import { command } from '../command.ts'
import { loadConfig, withStore } from '../deps.ts'

export const backupCommands = [
  command({
    name: 'backup',
    summary: 'Copy the SQLite database to a new file while the server runs, or show how to back up PostgreSQL.',
    operands: ['FILE'],
    options: {},
    examples: ['gatelodge backup gatelodge-backup.db'],
    async run(context) {
      const { config } = loadConfig(context)
      const { database } = config
      const file = resolve(context.io.cwd, context.operands.FILE)
      const secret = config.secret === null ? secretFile(config) : settings.secret.env
      if (database.kind === 'postgres') throw failure(pgDumpAdvice(database.url, file, secret))
      if (!isSqliteThere(database.path)) throw failure(`There is no database at ${database.path}`)

      const tell = (done: number, total: number) => context.status.show({ what: 'backup', done, total, unit: 'pages' })
      await withStore(context, (store) => intoNewFile(file, () => store.backup(file, tell)))
      return {
        json: { backup: file, keep_with_it: secret },
        text: `Copied the database to ${file}.\nBack up the secret too, in another place: the copy cannot be used without ${secret}.`,
      }
    },
  }),
]

/** Creates the file empty and private first, so that nothing is overwritten and other users can never read it. */
async function intoNewFile(file: string, copy: () => Promise<void>): Promise<void> {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (cause) {
    const exists = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'
    throw exists
      ? failure(`${file} already exists; nothing was overwritten`)
      : cannotUse('The backup', file, cause, explainPlace(file, cause))
  }

  try {
    await copy()
  } catch (error) {
    unlinkSync(file)
    throw error
  }
}

/** Recommends pg_dump, which knows the server better than this program. */
function pgDumpAdvice(url: string, file: string, secret: string): string {
  const words = ['--format=custom', '--no-owner', `--file=${file}`, `--dbname=${withoutPassword(url)}`]
  return [
    'PostgreSQL has its own backup program. Run:',
    `  pg_dump ${words.map(shellWord).join(' ')}`,
    'It prompts for the password, or reads it from ~/.pgpass or PGPASSWORD.',
    `Back up the secret too, in another place: the dump cannot be used without ${secret}.`,
  ].join('\n')
}

/** Returns the same connection as a libpq URL without the password. libpq verifies certificates only when told to. */
function withoutPassword(text: string): string {
  const url = new URL(text)
  const tls = parsePostgresUrl(text)?.tls
  url.password = ''
  url.search = ''
  if (!tls) return url.href

  url.searchParams.set('sslmode', tls.mode)
  url.searchParams.set('sslrootcert', tls.rootCert ?? 'system')
  if (tls.cert !== null) url.searchParams.set('sslcert', tls.cert)
  if (tls.key !== null) url.searchParams.set('sslkey', tls.key)
  return url.href
}

function failure(detail: string): AuthError {
  return new AuthError('service_unavailable', { detail })
}
