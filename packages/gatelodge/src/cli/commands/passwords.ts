import { AuthError } from '../../kernel/errors.ts'
import type { CommandContext } from '../command.ts'
import type { Io } from '../io.ts'
import { usageError } from '../parse.ts'

/** Reads the first line of standard input. @throws command_invalid if there is none */
export async function readPassword(io: Io): Promise<string> {
  const [line = ''] = (await io.stdin()).split(/\r?\n/, 1)
  if (line === '') throw usageError('--password-stdin reads the password from standard input, which was empty')
  return line
}

/** Asks for a new password twice, until both are the same. @throws input_invalid if there is no terminal, command_invalid if the user enters nothing */
export async function askNewPassword({
  io,
  json,
  status,
}: Pick<CommandContext, 'io' | 'json' | 'status'>): Promise<string> {
  if (!io.ask || json) {
    const message = 'is missing: a new account needs one. Pass it on standard input with --password-stdin'
    throw new AuthError('input_invalid', { faults: [{ field: 'password', code: 'required', message }] })
  }

  status.stop()
  for (;;) {
    const password = await io.ask('Password: ', true)
    const repeated = password && (await io.ask('Repeat the password: ', true))
    if (!password || repeated === undefined) throw usageError('No password was entered')
    if (password === repeated) {
      status.start()
      return password
    }
    io.stderr.write('The passwords are not the same. Enter both again.\n')
  }
}

/** The option `--password-stdin`, with its help text. */
export const passwordOption = {
  doc: 'Read the password from the first line of standard input, so that it does not show in process listings.',
} as const
