import { getPriority, setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { hashSync, type Options, verifySync } from '@node-rs/argon2'

/** A job for a worker: with a `phc`, to check the password against it; without one, to hash the password. */
export interface HashJob {
  readonly password: string
  readonly phc?: string
}

/** The hash, or whether the password matches; or the reason for a failure. */
export type HashAnswer = { readonly value: string | boolean } | { readonly error: string }

/** The data that every worker is started with. */
export interface HashWorkerData {
  /** The cost of new hashes. The algorithm is the library's default, argon2id. */
  readonly cost: Options
  /** A well-formed PHC string with the current cost that no password matches. */
  readonly decoy: string
}

const { cost, decoy }: HashWorkerData = workerData

if (process.platform === 'linux') await giveWay().catch(() => undefined) // a sandbox may forbid this; only the advantage is lost

parentPort?.on('message', (jobs: readonly HashJob[]) => parentPort?.postMessage(jobs.map(answer)))

// On Linux a pid of 0 is the calling thread (setpriority(2)). Elsewhere it would slow the whole process. A thread that is 2 nicer than another gets 0.39 of
// a core that both want (sched(7)): the event loop has the larger part, and no flood of requests that need no hash keeps people from signing in.
async function giveWay(): Promise<void> {
  setPriority(Math.min(getPriority() + 2, 19))
}

function answer({ password, phc }: HashJob): HashAnswer {
  const text = comparable(password)
  try {
    return { value: phc === undefined ? hashSync(text, cost) : fits(phc, text) }
  } catch (error) {
    return { error: String(error) } // the rest of the batch is still answered
  }
}

// NFC takes quadratic time for combining marks: half a second for 64 KiB. The policy allows no password of that length.
function comparable(password: string): string {
  return password.length > 4096 ? password : password.normalize('NFC')
}

function fits(phc: string, text: string): boolean {
  try {
    return verifySync(phc, text)
  } catch {
    return verifySync(decoy, text) // a damaged hash must not answer faster than an intact one
  }
}
