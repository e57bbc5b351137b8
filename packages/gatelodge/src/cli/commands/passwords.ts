import type { Io } from '../io.ts'
import { usageError } from '../parse.ts'

/** Reads the first line of standard input. @throws command_invalid if there is none */
export async function readPassword(io: Io): Promise<string> {
  const [line = ''] = (await io.stdin()).split(/\r?\n/, 1)
  if (line === '') throw usageError('--password-stdin reads the password from standard input, which was empty')
  return line
}

/** The option `--password-stdin`, with its help text. */
export const passwordOption = {
  doc: 'Read the password from the first line of standard input, so that it does not show in process listings.',
} as const
