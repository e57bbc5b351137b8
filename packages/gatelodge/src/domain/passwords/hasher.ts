import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { PasswordCost } from '../../config.ts'
import { AuthError } from '../../kernel/errors.ts'
import { createFairQueue, type Path } from './fair-queue.ts'
import type { HashKey } from './hash-key.ts'
import type { HashAnswer, HashJob, HashWorkerData } from './hash-worker.ts'

/** The cost of an argon2id hash. Its default is defined only at the setting. */
export type HashParameters = PasswordCost

export interface HasherOptions {
  readonly parameters: HashParameters
  /** The number of worker threads; never more than there are cores. */
  readonly threads?: number
  /** The most jobs that may wait; at least 1. */
  readonly maxWaiting?: number
}

/**
 * Hashes and checks passwords off the event loop. Accounts on places of their own and strangers take turns. So do the accounts among themselves, and the
 * networks of strangers, at every network size.
 */
export interface Hasher {
  /** Returns the PHC string of a password, after NFC normalisation. @throws overloaded, service_unavailable (closed), internal (a worker died) */
  hash(password: string, key: HashKey): Promise<string>
  /**
   * Returns whether a password matches. A `phc` that is null (no user, or no password) or damaged costs a real check and returns false.
   * @throws same as `hash`
   */
  verify(phc: string | null, password: string, key: HashKey): Promise<boolean>
  /** Returns whether a hash has less memory or fewer passes than the current cost, or another algorithm. */
  needsRehash(phc: string): boolean
  /** Returns the jobs under way, the jobs waiting, and how many were rejected since the start because too many were waiting. */
  load(): { running: number; waiting: number; refused: number }
  /** Rejects new jobs, finishes those it has, and stops the threads. */
  close(): Promise<void>
}

interface Task {
  readonly job: HashJob
  /** Whether the batch, which is answered as a whole, must not contain jobs after this one: an account's own place must not wait for strangers. */
  readonly endsBatch: boolean
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: AuthError) => void
}

interface Thread {
  readonly worker: Worker
  /** The tasks it is working on. */
  tasks: readonly Task[]
}

// .ts in the source, .js in the published build.
const workerUrl = new URL(`./hash-worker${extname(import.meta.url)}`, import.meta.url)
// The most memory one hash may fill in total: the costlier option of RFC 9106, section 4. An imported hash that needs more would take down the process.
const largestFill = 2 ** 21
// A hash walks through so much memory that the code that answers a sign-in is no longer cached. When many wait, a thread answers several together: the first pays
// for the cache misses, and the others cost half.
const largestBatch = 4
// Jobs that may wait for one place of an account among the accounts' turns: a page and a second tab. Further ones wait among strangers.
const waitingOfPlace = 2
// KiB that a slow core fills in a second, for computing when a retry makes sense.
const fillPerSecond = 2 ** 21

/**
 * Creates a thread pool for argon2id, separate from libuv's so that the latter stays free. Threads start when first needed, and idle ones do not keep the
 * process alive.
 */
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

// Checking against this does all the work of a real check, from the first call on. No one can find a password whose hash is 32 zero bytes.
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
