import { AuthError, isAuthError } from '../kernel/errors.ts'
import { version } from '../kernel/version.ts'
import type { Result } from './command.ts'
import { commands } from './commands/index.ts'
import { help } from './help.ts'
import type { Io } from './io.ts'
import { painter } from './paint.ts'
import { parseCommandLine } from './parse.ts'
import { createStatus } from './progress.ts'
import { reasonOf } from './text.ts'

/** Runs a command line and returns its exit status: 0 for success, 1 for failure, 2 for invalid usage. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const json = argv.includes('--json')
  try {
    const result = await answer(argv, io, json)
    if (result === null) return 0

    io.stdout.write(json ? `${JSON.stringify(result.json)}\n` : `${result.text}\n`)
    return result.failed ? 1 : 0
  } catch (error) {
    io.stderr.write(
      json ? `${JSON.stringify(toJson(error))}\n` : `${painter(io, 'stderr')('red', 'gatelodge:')} ${toText(error)}\n`,
    )
    return isAuthError(error, 'command_invalid') ? 2 : 1
  }
}

async function answer(argv: readonly string[], io: Io, json: boolean): Promise<Result | null> {
  const asked = parseCommandLine(argv, commands)
  const paint = painter(io, 'stdout')
  if (asked.kind === 'version') return { json: { name: 'gatelodge', version }, text: version }
  if (asked.kind === 'help') return help(asked.about, commands, paint)

  const status = createStatus(io, json)
  try {
    return await asked.command.run({
      io: { ...io, stderr: status.stderr },
      json,
      commands,
      paint,
      status,
      ...asked.given,
    })
  } finally {
    status.stop()
  }
}

function toJson(error: unknown): { code: string; detail: string; errors: unknown } {
  if (error instanceof AuthError) return { code: error.code, detail: reasonOf(error), errors: error.faults }
  return { code: 'internal', detail: messageOf(error), errors: [] }
}

function toText(error: unknown): string {
  if (!(error instanceof AuthError)) return messageOf(error)

  const faults = error.faults.map(({ field, message }) => `\n  ${field} ${message}`)
  return `${reasonOf(error)}${faults.join('')}`
}

/** Returns the system's message, for example that a folder is not writable. Users of the command line may see it. */
function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : 'Something went wrong'
}
