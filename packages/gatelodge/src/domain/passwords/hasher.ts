import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { PasswordCost } from '../../config.ts'
import { AuthError } from '../../kernel/errors.ts'
import { createFairQueue, type Path } from './fair-queue.ts'
import type { HashKey } from './hash-key.ts'
import type { HashAnswer, HashJob, HashWorkerData } from './hash-worker.ts'

/** The cost of an argon2id hash. The default stands at the setting alone. */
export type HashParameters = PasswordCost

export interface HasherOptions {
  readonly parameters: HashParameters
  /** Worker threads, never more than cores. */
  readonly threads?: number
  /** Jobs that may wait, at least 1. */
  readonly maxWaiting?: number
}

/**
 * Hashes and checks passwords off the event loop. Accounts on places of their own and strangers take turns, among them the accounts and the networks of
 * strangers, of every size.
 */
export interface Hasher {
  /** The PHC string of a password, NFC-normalised first. @throws overloaded, service_unavailable (closed), internal (a worker died) */
  hash(password: string, key: HashKey): Promise<string>
  /** Whether a password fits; a `phc` of null (nobody, or no password) or one that is damaged costs a real check and answers false. @throws as hash */
  verify(phc: string | null, password: string, key: HashKey): Promise<boolean>
  /** Whether a hash was made with less memory or fewer passes than today's, or by another algorithm. */
  needsRehash(phc: string): boolean
  /** Jobs under way, jobs waiting, and how many were refused since the start because too many waited. */
  load(): { running: number; waiting: number; refused: number }
  /** Refuses new jobs, finishes those it has, and ends the threads. */
  close(): Promise<void>
}

interface Task {
  readonly job: HashJob
  /** Whether no other is taken behind it into its batch, which is answered as a whole: an account's own place must not wait for strangers. */
  readonly endsBatch: boolean
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: AuthError) => void
}

interface Thread {
  readonly worker: Worker
  /** What it was given last, until it answers. */
  tasks: readonly Task[]
}

// As .ts from the source and as .js from the published build.
const workerUrl = new URL(`./hash-worker${extname(import.meta.url)}`, import.meta.url)
// What one hash may fill in all: the costlier choice of RFC 9106, section 4. An imported hash that asks for more would take the process down.
const largestFill = 2 ** 21
// A hash walks through so much memory that whatever answers a sign-in is cold after it. When many wait, a thread answers a few at once: the first pays
// for the caches, and the next cost half.
const largestBatch = 4
// Jobs that may wait for one place of an account among the accounts' own turns: a page and a second tab. More of them wait among strangers.
const waitingOfPlace = 2
// KiB that a slow core fills in a second, to say when a new try makes sense.
const fillPerSecond = 2 ** 21

/** A pool of threads for argon2id, of our own so that libuv's stays free; threads start when they are first needed and idle ones keep no process alive. */
export function createHasher(options: HasherOptions): Hasher {
  const { parameters } = options
  const maxThreads = Math.min(options.threads ?? Number.POSITIVE_INFINITY, availableParallelism())
  const waiting = createFairQueue<Task>(options.maxWaiting ?? 256)
  const threads = new Set<Thread>()
  const drained = Promise.withResolvers<void>()
  let closing: Promise<void> | undefined
  let refusals = 0
  const decoy = decoyOf(parameters)

  function run(job: HashJob, key: HashKey): Promise<unknown> {
    if (closing) return Promise.reject(new AuthError('service_unavailable'))

    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const line = lineOf(key)
    const refused = waiting.push(line, { job, endsBatch: line[0] === 'own', resolve, reject })
    if (refused) refusals += 1
    refused?.reject(new AuthError('overloaded', { retryAfter: secondsToDrain() }))
    dispatch()
    return promise
  }

  function lineOf({ networks, own }: HashKey): Path {
    const line = own && ['own', own.account, own.place]
    return line && waiting.waitingAt(line) < waitingOfPlace ? line : ['strangers', ...networks]
  }

  function dispatch(): void {
    while (waiting.size > 0) {
      const thread = [...threads].find(({ tasks }) => tasks.length === 0) ?? start()
      if (!thread) return

      thread.tasks = nextBatch()
      thread.worker.ref()
      thread.worker.postMessage(thread.tasks.map(({ job }) => job))
    }
    if (closing && running() === 0) drained.resolve()
  }

  function nextBatch(): Task[] {
    const size = Math.min(largestBatch, Math.ceil(waiting.size / maxThreads))
    const batch: Task[] = []
    for (let next = waiting.shift(); next; next = batch.length < size && !next.endsBatch ? waiting.shift() : undefined)
      batch.push(next)
    return batch
  }

  function start(): Thread | undefined {
    if (threads.size >= maxThreads) return undefined

    const worker = new Worker(workerUrl, { workerData: workerDataOf(parameters, decoy), execArgv: [] })
    const thread: Thread = { worker, tasks: [] }
    worker.on('message', (answers: readonly HashAnswer[]) => {
      const tasks = release(thread)
      dispatch()
      for (const [index, task] of tasks.entries()) settle(task, answers[index])
    })
    worker.on('error', (cause) => retire(thread, cause))
    worker.on('exit', () => retire(thread, undefined))
    threads.add(thread)
    return thread
  }

  function release(thread: Thread): readonly Task[] {
    const { tasks } = thread
    thread.tasks = []
    thread.worker.unref()
    return tasks
  }

  function retire(thread: Thread, cause: unknown): void {
    threads.delete(thread)
    for (const task of release(thread)) task.reject(new AuthError('internal', { cause }))
    dispatch()
  }

  function running(): number {
    return [...threads].reduce((sum, { tasks }) => sum + tasks.length, 0)
  }

  function secondsToDrain(): number {
    return Math.ceil((waiting.size * parameters.memoryKiB * parameters.passes) / fillPerSecond / maxThreads)
  }

  async function end(): Promise<void> {
    await drained.promise
    await Promise.all([...threads].map(({ worker }) => worker.terminate()))
  }

  return {
    hash: async (password, key) => String(await run({ password }, key)),

    verify: async (phc, password, key) => {
      const parsed = phc === null ? undefined : parsePhc(phc)
      const affordable = parsed !== undefined && parsed.memoryKiB * parsed.passes <= largestFill
      return (await run({ password, phc: affordable ? parsed.phc : decoy }, key)) === true
    },

    needsRehash: (phc) => {
      const parsed = parsePhc(phc)
      const current = parsed?.algorithm === 'argon2id' && parsed.version === '19'
      return !current || parsed.memoryKiB < parameters.memoryKiB || parsed.passes < parameters.passes
    },

    load: () => ({ running: running(), waiting: waiting.size, refused: refusals }),

    close: () => {
      closing ??= end()
      dispatch()
      return closing
    },
  }
}

function settle(task: Task, answer: HashAnswer | undefined): void {
  if (answer && 'value' in answer) task.resolve(answer.value)
  else task.reject(new AuthError('internal', { cause: answer?.error }))
}

function workerDataOf(parameters: HashParameters, decoy: string): HashWorkerData {
  const { memoryKiB, passes, lanes } = parameters
  return { cost: { memoryCost: memoryKiB, timeCost: passes, parallelism: lanes }, decoy }
}

// A check against this does all the work of a real one, from the first call on, and 32 zero bytes are the hash of no password anybody can find.
function decoyOf({ memoryKiB, passes, lanes }: HashParameters): string {
  const salt = Buffer.alloc(16, 'gatelodge').toString('base64').replaceAll('=', '')
  return `$argon2id$v=19$m=${memoryKiB},t=${passes},p=${lanes}$${salt}$${'A'.repeat(43)}`
}

function parsePhc(phc: string) {
  const match = /^\$(argon2(?:id|i|d))\$(?:v=(\d+)\$)?m=(\d{1,10}),t=(\d{1,10}),p=\d{1,3}\$/.exec(phc)
  return match
    ? { phc, algorithm: match[1], version: match[2], memoryKiB: Number(match[3]), passes: Number(match[4]) }
    : undefined
}
