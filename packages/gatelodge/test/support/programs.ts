import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type ConsumerFolder, consumerFolder } from './packed.ts'
import { freePort } from './postgres.ts'
import { until } from './until.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))

/** A program in a separate process. */
export interface RunningProgram extends AsyncDisposable {
  readonly origin: string
  /** Asks it to stop and returns its exit status. */
  end(): Promise<number | null>
}

/** How long a program may take to come up, and any other wait, in ms. */
export const patience = 30_000

/** Runs a file with Node.js and waits until one of its addresses answers 200. @throws what it wrote to standard error if it exits instead */
export async function startProgram(
  argv: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> },
  ready: string,
): Promise<RunningProgram> {
  const child = spawn(process.execPath, argv, { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(child, 'close') // by then all of its output has arrived
  let told = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told += text
  })
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    await ended
    return child.exitCode
  }
  const program = {
    origin: new URL(ready).origin,
    end: () => end('SIGTERM'),
    [Symbol.asyncDispose]: async () => void (await end('SIGKILL')),
  }

  try {
    await until(async () => {
      if (child.exitCode !== null || child.signalCode !== null) throw await ended.then(() => new Error(told))
      return (await fetch(ready).catch(() => undefined))?.status === 200
    })
  } catch (error) {
    await end('SIGKILL')
    throw error
  }
  return program
}

/**
 * Copies an example as a user would: into a fresh folder with the packages that its package.json names, ours packed, and the types of packages that have none.
 */
export async function copyExample(name: string): Promise<ConsumerFolder> {
  const source = join(root, 'examples', name)
  const { dependencies } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as { dependencies: object } // one of our own files
  const names = [...Object.keys(dependencies), '@types/node', '@types/express']
  const folder = await consumerFolder(names, `examples/${name}`)
  const left = /\/(?:node_modules|data)(?:\/|$)/ // left by a run in the repository
  cpSync(source, folder.path, { recursive: true, filter: (file) => !left.test(file.slice(source.length)) })
  return folder
}

/** A packed Gatelodge in its own folder, which restarts at the same address. */
export interface InstalledGatelodge extends Disposable {
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  readonly issuer: string
  start(): Promise<RunningProgram>
  /** Returns what a command prints. A password is passed on its standard input. */
  command(words: readonly string[], password?: string): Promise<Readonly<Record<string, string>>>
  /** Creates a client while the server runs, and returns an access token for it. */
  clientToken(name: string, scope: string): Promise<string>
}

/** Installs the program into a folder and assigns a port. */
export async function installGatelodge(
  program: string,
  settings: Readonly<Record<string, string>>,
): Promise<InstalledGatelodge> {
  const folder = mkdtempSync(join(tmpdir(), 'gatelodge-installed-'))
  const issuer = `http://localhost:${await freePort()}`
  const env = {
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    GATELODGE_LISTEN: `127.0.0.1:${new URL(issuer).port}`,
    GATELODGE_PASSWORD_HASH: 'm=7168,t=5,p=1',
    ...settings,
  }
  const command: InstalledGatelodge['command'] = async (words, password) => {
    const argv = [program, ...words, '--json', ...(password === undefined ? [] : ['--password-stdin'])]
    const running = promisify(execFile)(process.execPath, argv, { cwd: folder, env })
    running.child.stdin?.end(password)
    return JSON.parse((await running).stdout)
  }
  return {
    folder,
    env,
    issuer,
    start: () => startProgram([program, 'serve'], { cwd: folder, env }, `${issuer}/readyz`),
    command,
    async clientToken(name, scope) {
      const { client_id, client_secret } = await command(['client', 'create', name, '--scope', scope])
      const response = await fetch(`${issuer}/oauth2/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}` },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      })
      const { access_token } = (await response.json()) as { access_token: string } // as the route answers
      return access_token
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}
