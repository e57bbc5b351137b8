import { getPriority, setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { hashSync, type Options, verifySync } from '@node-rs/argon2'

/** What a worker is asked for: with a `phc` whether the password fits it, without one the password's hash. */
export interface HashJob {
  readonly password: string
  readonly phc?: string
}

/** The hash, or whether the password fits; or why neither could be made. */
export type HashAnswer = { readonly value: string | boolean } | { readonly error: string }

/** What every worker is started with. */
export interface HashWorkerData {
  /** The cost of new hashes; the algorithm is the library's default, argon2id. */
  readonly cost: Options
  /** A well-formed PHC string of today's cost that no password fits. */
  readonly decoy: string
}

const { cost, decoy }: HashWorkerData = workerData

if (process.platform === 'linux') await giveWay().catch(() => undefined) // a sandbox may refuse; only the advantage is lost

parentPort?.on('message', (jobs: readonly HashJob[]) => parentPort?.postMessage(jobs.map(answer)))

// On Linux a pid of 0 is the calling thread (setpriority(2)): the event loop wins the core. Elsewhere it would slow the whole process.
async function giveWay(): Promise<void> {
  setPriority(Math.min(getPriority() + 10, 19))
}

function answer({ password, phc }: HashJob): HashAnswer {
  const text = comparable(password)
  try {
    return { value: phc === undefined ? hashSync(text, cost) : fits(phc, text) }
  } catch (error) {
    return { error: String(error) } // the others of the batch are answered all the same
  }
}

// NFC takes quadratic time on combining marks: 64 KiB of them are half a second. The policy allows no password of that length.
function comparable(password: string): string {
  return password.length > 4096 ? password : password.normalize('NFC')
}

function fits(phc: string, text: string): boolean {
  try {
    return verifySync(phc, text)
  } catch {
    return verifySync(decoy, text) // a damaged hash must not answer faster than a whole one
  }
}
