import { closeSync, existsSync, openSync, unlinkSync } from 'node:fs'
import { resolve } from 'node:path'
import { settings } from '../../config.ts'
import { AuthError } from '../../kernel/errors.ts'
import { secretFile } from '../../secret.ts'
import { command } from '../command.ts'
import { loadConfig, withStore } from '../deps.ts'

export const backupCommands = [
  command({
    name: 'backup',
    summary: 'Copy the SQLite database to a new file, consistently, while the server runs.',
    operands: ['FILE'],
    options: {},
    async run(context) {
      const { config } = loadConfig(context)
      const { database } = config
      if (database.kind === 'sqlite' && !existsSync(database.path))
        throw failure(`There is no database at ${database.path}`)

      const file = resolve(context.io.cwd, context.operands.FILE)
      await withStore(context, (store) => intoNewFile(file, () => store.backup(file)))
      const secret = config.secret === null ? secretFile(config) : settings.secret.env
      return {
        json: { backup: file, keep_with_it: secret },
        text: `Copied the database to ${file}.\nKeep the secret with it, in another place: without ${secret} the copy cannot be used.`,
      }
    },
  }),
]

/** Makes the file empty and private first: nothing is overwritten, and no moment passes in which others may read it. */
async function intoNewFile(file: string, copy: () => Promise<void>): Promise<void> {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (cause) {
    const exists = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'
    throw exists ? failure(`${file} exists already; nothing was overwritten`) : cause
  }

  try {
    await copy()
  } catch (error) {
    unlinkSync(file)
    throw error
  }
}

function failure(detail: string): AuthError {
  return new AuthError('service_unavailable', { detail })
}
