import { resolve } from 'node:path'
import { type Config, type DatabaseLocation, settings } from '../../config.ts'
import { AuthError } from '../../kernel/errors.ts'
import { systemRandom } from '../../kernel/random.ts'
import { createKeyring } from '../../kernel/sealing.ts'
import { findSecret, secretFile } from '../../secret.ts'
import type { CopyProgress } from '../../store/copy.ts'
import { isSqliteThere } from '../../store/sqlite-places.ts'
import type { Store } from '../../store/store.ts'
import { command } from '../command.ts'
import { loadConfig } from '../deps.ts'
import { usageError } from '../parse.ts'

export const copyCommands = [
  command({
    name: 'copy',
    summary: 'Copy all data to another, empty database: from SQLite to PostgreSQL or back.',
    operands: [],
    options: {
      from: {
        value: 'DATABASE',
        doc: `The source, in the format of ${settings.database.env}. Default: the value of that setting.`,
      },
      to: {
        value: 'DATABASE',
        doc: `The empty target, with the same format and default. Put a URL with a password in ${settings.database.env}: other users can read flags.`,
      },
    },
    examples: ['gatelodge copy --to postgres://gatelodge@db.example.com/gatelodge'],
    async run({ options, ...context }) {
      const { config } = loadConfig(context)
      if (options.from === undefined && options.to === undefined)
        throw usageError(
          `Specify the source with --from or the target with --to; ${settings.database.env} is the other one`,
        )
      const from = readLocation(context.io.cwd, 'from', options.from) ?? config.database
      const to = readLocation(context.io.cwd, 'to', options.to) ?? config.database
      if (isTemporary(from) || isTemporary(to))
        throw usageError('sqlite::memory: cannot be copied: it is deleted when the command exits')
      if (nameOf(from) === nameOf(to)) throw usageError('Source and target are the same database')
      if (from.kind === 'sqlite' && !isSqliteThere(from.path)) throw refusal(`There is no database at ${from.path}`)

      context.status.start()
      const tell = ({ table, rows, total }: CopyProgress) =>
        context.status.show({ what: table, done: rows, total, unit: 'rows' })
      const copied = await copy(config, from, to, tell)
      const tables = Object.keys(copied).length
      const rows = Object.values(copied).reduce((sum, count) => sum + count, 0)
      const secret = config.secret === null ? secretFile(config) : settings.secret.env
      const text = [
        `Copied ${rows} rows in ${tables} tables to ${to.kind === 'sqlite' ? to.path : 'PostgreSQL'}; row counts and checksums match.`,
        `Next: set ${settings.database.env} to the copy, keep the same secret (${secret}), and start the server.`,
        'Do not start a server on the old database again: its changes would be missing from the copy.',
      ]
      return {
        json: { rows, tables: copied, verified: ['rows', 'checksums'], same_secret: secret },
        text: text.join('\n'),
      }
    },
  }),
]

/** @throws service_unavailable, config_invalid */
async function copy(
  config: Config,
  from: DatabaseLocation,
  to: DatabaseLocation,
  tell: (progress: CopyProgress) => void,
): Promise<Record<string, number>> {
  const { assertCopyable, copyDatabase } = await import('../../store/copy.ts')
  await using held = new AsyncDisposableStack()
  for (const [role, location] of [
    ['source', from],
    ['target', to],
  ] as const)
    held.defer(await keepServersOut(role, location))

  const { openStore } = await import('../../compose.ts')
  const open = async (database: DatabaseLocation) => {
    const store = await openStore({ database })
    held.defer(() => store.close())
    return store
  }
  const source = await open(from)
  const target = await open(to)
  await assertCopyable(source, target)
  await assertSecretOpens(config, source)
  return await copyDatabase(source, target, tell)
}

/** A running server would continue to write to its SQLite file, and the copy would miss those rows. */
async function keepServersOut(role: 'source' | 'target', location: DatabaseLocation): Promise<() => void> {
  if (location.kind === 'postgres') return () => {}

  const { lockSqliteForServer } = await import('../../store/sqlite.ts')
  const held = `A server is running on the ${role} (${location.path}). Stop it first: its changes would be lost.`
  return lockSqliteForServer(location.path, held).release
}

/** Checked now instead of at the first start on the copy. */
async function assertSecretOpens(config: Config, source: Store): Promise<void> {
  const kept = await source.db.selectFrom('signing_keys').select('kid').limit(1).executeTakeFirst()
  if (!kept) return

  const secret = findSecret(config)
  if (secret === undefined) throw refusal(`${secretFile(config)} is missing, but the source was created with a secret`)
  const { readSigningKeys } = await import('../../domain/signing-keys.ts')
  await readSigningKeys({ store: source, keyring: createKeyring(secret, systemRandom) })
}

/** @throws command_invalid */
function readLocation(cwd: string, flag: string, text: string | undefined): DatabaseLocation | undefined {
  if (text === undefined) return undefined

  const location = settings.database.parse(text)
  if (!location) throw usageError(`--${flag} must be ${settings.database.form}`)
  return location.kind === 'sqlite' && !isTemporary(location)
    ? { ...location, path: resolve(cwd, location.path) }
    : location
}

function isTemporary(location: DatabaseLocation): boolean {
  return location.kind === 'sqlite' && location.path === ':memory:'
}

function nameOf(location: DatabaseLocation): string {
  return location.kind === 'sqlite' ? location.path : location.url
}

function refusal(detail: string): AuthError {
  return new AuthError('service_unavailable', { detail })
}
