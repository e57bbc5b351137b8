import type { Io } from '../io.ts'
import { usageError } from '../parse.ts'

/** The first line of standard input. @throws command_invalid when there is none */
export async function readPassword(io: Io): Promise<string> {
  const [line = ''] = (await io.stdin()).split(/\r?\n/, 1)
  if (line === '') throw usageError('--password-stdin reads the password from standard input, and nothing came')
  return line
}

/** What `--password-stdin` says in help. */
export const passwordOption = {
  doc: 'Read the password from the first line of standard input, where no list of processes shows it.',
} as const
