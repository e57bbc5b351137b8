import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { bin, type CommandFolder, type Ran } from './cli.ts'

/** A prefix that drops root's right to use every file. */
const bound =
  process.getuid?.() === 0
    ? ['setpriv', ...['--bounding-set', '--inh-caps'].map((set) => `${set}=-dac_override,-dac_read_search,-fowner`)]
    : []

/** Returns the command of our program for a user to whom file permissions apply. `wrapper` is a command that runs it. */
export function boundProgram(folder: CommandFolder, args: readonly string[], wrapper: readonly string[] = []) {
  const [program = '', ...argv] = [...wrapper, ...bound, process.execPath, bin, ...args]
  return { program, argv, options: { cwd: folder.path, env: { PATH: process.env.PATH, ...folder.env } } }
}

/** Runs a command as such a user. If it does not end, it is killed and has no status. */
export async function runBound(
  folder: CommandFolder,
  args: readonly string[],
  wrapper: readonly string[] = [],
): Promise<Ran> {
  const { program, argv, options } = boundProgram(folder, args, wrapper)
  const run = promisify(execFile)(program, argv, { ...options, timeout: 60_000 })
  return run.then(
    ({ stdout, stderr }) => ({ status: 0, stdout, stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ status: code, stdout, stderr }),
  )
}
