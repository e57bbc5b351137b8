import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** A server under measurement. */
export interface Server {
  readonly name: string
  readonly child: ChildProcess
  readonly url: string
}

const isLinux = process.platform === 'linux'
const serverCore = '0'
const loadCore = '1'
const startsWithin = 60_000
const running = new Set<ChildProcess>()

/** Keeps this process, and what it starts from now on, off the servers' core. Works only on Linux; elsewhere nothing is pinned. */
export function pinSelf(): boolean {
  if (isLinux) execFileSync('taskset', ['-a', '-c', '-p', loadCore, String(process.pid)])
  return isLinux
}

/** Starts a module on the servers' core, with a message channel. */
export function startOnServerCore(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  return start(serverCore, args, env)
}

/** Starts a module on the load's core, with a message channel. */
export function startOnLoadCore(args: readonly string[]): ChildProcess {
  return start(loadCore, args, {})
}

/** Starts a server on a free port. Resolves when `path` has answered with `status`, by default 200. */
export async function startServer(
  name: string,
  start: {
    args: (port: number) => readonly string[]
    env?: (port: number) => Readonly<Record<string, string>>
    path: string
    status?: number
  },
): Promise<Server & { readonly startMs: number }> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const begin = performance.now()
  const child = startOnServerCore(start.args(port), start.env?.(port))
  while ((await statusOf(url + start.path)) !== (start.status ?? 200)) {
    if (child.exitCode !== null) throw new Error(`${name} ended with status ${child.exitCode}`)
    if (performance.now() - begin > startsWithin) throw new Error(`${name} did not answer within ${startsWithin} ms`)
    await sleep(2)
  }
  return { name, child, url, startMs: performance.now() - begin }
}

/** Returns the path of a file of the bench. */
export function local(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url))
}

/** Stops one child and waits until it has exited. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return

  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const giveUp = setTimeout(() => child.kill('SIGKILL'), 15_000)
  await gone
  clearTimeout(giveUp)
}

/** Stops every child that is still running. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map(stop))
}

/** Returns the seconds of processor time that a process has used with all its threads and workers, or NaN if the system does not report it. */
export function cpuSeconds({ child }: Pick<Server, 'child'>): number {
  if (!isLinux) return Number.NaN

  return ticksOf(String(child.pid)) / ticksPerSecond
}

function ticksOf(pid: string): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // from the third field of proc_pid_stat(5) on
  const workers = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
  return workers.reduce((sum, worker) => sum + ticksOf(worker), Number(fields[11]) + Number(fields[12]))
}

/** Returns the resident memory in MB, or NaN if the system does not report it. */
export function residentMb({ child }: Server): number {
  if (!isLinux) return Number.NaN

  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024
}

const ticksPerSecond = 100 // USER_HZ, which Linux fixes for user-space programs

function start(core: string, args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  const [file = '', ...before] = isLinux ? ['taskset', '-c', core, process.execPath] : [process.execPath]
  const child = spawn(file, [...before, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  running.add(child)
  child.on('exit', () => running.delete(child))
  return child
}

/** Returns a loopback port that is not in use. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function statusOf(url: string): Promise<number | undefined> {
  try {
    const response = await fetch(url)
    await response.arrayBuffer()
    return response.status
  } catch {
    return undefined // not listening yet
  }
}
