import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Io } from '../../src/cli/io.ts'
import { run } from '../../src/cli/run.ts'
import type { Engine } from './app.ts'
import { databaseSettings } from './databases.ts'

export const bin = fileURLToPath(new URL('../../bin/gatelodge.js', import.meta.url))

/** Returns a shell function with which `npm run gatelodge --`, as pages write it, runs a program in the current folder. */
export function npmFunction(program = bin): string {
  return `npm() { while [ "$1" != -- ]; do shift; done; shift; "${process.execPath}" "${program}" "$@"; }`
}

/** How long a server may take to come up before it is killed, so that a test fails instead of hanging, in ms. */
const patience = 180_000

/** The result of a command. */
export interface Ran {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** An empty working folder with access to the command line. */
export interface CommandFolder {
  readonly path: string
  /** The settings of its commands and servers. */
  readonly env: Readonly<Record<string, string>>
  /** Runs a command in this process. A string is split at spaces; pass a list to avoid that. */
  run(command: string | readonly string[], io?: Partial<Io> & { input?: string }): Promise<Ran>
  /** Runs a command with `--json` that must succeed, and returns its parsed output. */
  json<T>(command: string, input?: string): Promise<T>
  /** Starts a server in a separate process. Resolves once it is up. */
  serve(...flags: string[]): Promise<ServerProcess>
  [Symbol.asyncDispose](): Promise<void>
}

export interface ServerProcess {
  readonly child: ChildProcess
  /** The first line it printed. */
  readonly started: { url: string; listen: { host: string; port: number }; [fact: string]: unknown }
  /** The URL where it listens. */
  readonly origin: string
  /** Returns the next line of its standard output, parsed. */
  next(): Promise<Record<string, unknown>>
  /** Returns what it has written to standard error so far. */
  stderr(): string
  /** Sends a signal and returns the exit status. */
  end(signal?: NodeJS.Signals): Promise<number | null>
}

/** Creates a fresh folder. Disposing of it ends its servers, which run the given program, and deletes its files. */
export function commandFolder(env: Readonly<Record<string, string>> = {}, program = bin): CommandFolder {
  const path = mkdtempSync(join(tmpdir(), 'gatelodge-cli-'))
  const servers: ServerProcess[] = []
  const settings = { GATELODGE_PASSWORD_HASH: 'm=7168,t=5,p=1', ...env }

  const folder: CommandFolder = {
    path,
    env: settings,
    async run(command, { input = '', ...io } = {}) {
      const stdout: string[] = []
      const stderr: string[] = []
      const argv = typeof command === 'string' ? command.split(' ') : command
      const status = await run(argv, {
        env: settings,
        cwd: path,
        now: () => performance.now(),
        stdin: async () => input,
        stdout: { write: (text) => void stdout.push(text) },
        stderr: { write: (text) => void stderr.push(text) },
        isTerminal: { stdout: false, stderr: false },
        readFile: (file) => readFileSync(file, 'utf8'),
        onSignal() {},
        onCrash() {},
        exit: (code) => assert.fail(`exit ${code}`),
        ...io,
      })
      return { status, stdout: stdout.join(''), stderr: stderr.join('') }
    },
    async json<T>(command: string, input = '') {
      const { status, stdout, stderr } = await folder.run(`${command} --json`, { input })
      assert.equal(status, 0, stderr)
      return JSON.parse(stdout) as T
    },
    async serve(...flags) {
      const server = await startServer(program, path, settings, flags)
      servers.push(server)
      return server
    },
    async [Symbol.asyncDispose]() {
      for (const server of servers) await server.end('SIGKILL')
      rmSync(path, { recursive: true, force: true })
    },
  }
  return folder
}

/** A command folder over a fresh database; `database` is what GATELODGE_DATABASE would say. */
export async function commandFolderOn(
  engine: Engine,
  env: Readonly<Record<string, string>> = {},
): Promise<CommandFolder & { readonly database: string }> {
  const settings = await databaseSettings(engine)
  const folder = commandFolder({ ...settings.env, ...env })
  return {
    ...folder,
    database: settings.env.GATELODGE_DATABASE ?? `sqlite:${join(folder.path, 'data/gatelodge.db')}`,
    async [Symbol.asyncDispose]() {
      await folder[Symbol.asyncDispose]()
      await settings[Symbol.asyncDispose]()
    },
  }
}

async function startServer(
  program: string,
  cwd: string,
  settings: Readonly<Record<string, string>>,
  flags: readonly string[],
): Promise<ServerProcess> {
  const place = flags.includes('--listen') ? [] : ['--listen', '127.0.0.1:0']
  const argv = [program, 'serve', '--json', ...place, ...flags]
  const child = spawn(process.execPath, argv, {
    cwd,
    env: { ...process.env, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'exit')
  const failures: string[] = []
  child.stderr.setEncoding('utf8').on('data', (text: string) => failures.push(text))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async () => {
    const { done, value } = await lines.next()
    assert.ok(!done, `the server said nothing more: ${failures.join('')}`)
    return JSON.parse(value) as Record<string, unknown>
  }

  const givingUp = setTimeout(() => child.kill('SIGKILL'), patience).unref()
  const started = (await next()) as ServerProcess['started']
  clearTimeout(givingUp)
  return {
    child,
    started,
    origin: `http://${started.listen.host}:${started.listen.port}`,
    next,
    stderr: () => failures.join(''),
    async end(signal = 'SIGTERM') {
      child.kill(signal)
      await ended
      return child.exitCode
    },
  }
}
