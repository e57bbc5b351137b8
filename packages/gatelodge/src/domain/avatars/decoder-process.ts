import { type ChildProcess, fork } from 'node:child_process'
import { extname } from 'node:path'
import type { DecoderAnswer, DecoderJob } from './decode.ts'

/** A decoding process, started by the first job and stopped when it has been idle for a while. */
export interface DecoderProcess {
  /** Decodes one image. Must not be called again before it resolves. If the process dies or takes too long, the image is invalid. */
  decode(job: DecoderJob): Promise<DecoderAnswer>
  /** Stops the process. */
  end(): void
}

// .ts in the source, .js in the published build.
const decoderUrl = new URL(`./decoder${extname(import.meta.url)}`, import.meta.url)

/**
 * Creates a process for decoding. Decoders are native code that reads untrusted input, keep memory that their library never returns, and cannot be interrupted.
 * A separate process, without secrets or environment, confines all three problems. Times are in ms.
 */
export function createDecoderProcess(options: { readonly patience: number; readonly idle: number }): DecoderProcess {
  let child: ChildProcess | undefined
  let idle: NodeJS.Timeout | undefined

  function end(): void {
    clearTimeout(idle)
    child?.off('exit', forget).kill('SIGKILL')
    child = undefined
  }

  function forget(): void {
    child = undefined
  }

  return {
    async decode(job) {
      clearTimeout(idle)
      child ??= start().once('exit', forget)
      const answer = await ask(child, job, options.patience)
      if (!answer) end()
      else idle = setTimeout(end, options.idle).unref()
      return answer ?? { failed: 'image_invalid' }
    },
    end,
  }
}

function start(): ChildProcess {
  // glibc returns little memory when it uses several arenas.
  const env = { MALLOC_ARENA_MAX: '2' }
  const child = fork(decoderUrl, {
    env,
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  return child.on('error', () => {}) // its exit shows that it is gone
}

/** Returns the answer of the process, or undefined if it ended without one. */
async function ask(child: ChildProcess, job: DecoderJob, patience: number): Promise<DecoderAnswer | undefined> {
  const { promise, resolve } = Promise.withResolvers<DecoderAnswer | undefined>()
  const answered = (answer: unknown) => resolve(answer as DecoderAnswer) // we wrote both ends
  const ended = () => resolve(undefined)
  const timer = setTimeout(ended, patience)
  keepAwake(child, true)
  child.on('message', answered).on('exit', ended)
  child.send(job, (error) => error && ended())
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    child.off('message', answered).off('exit', ended)
    keepAwake(child, false)
  }
}

/** Sets whether the child process keeps this process alive. */
function keepAwake(child: ChildProcess, isBusy: boolean): void {
  const how = isBusy ? 'ref' : 'unref'
  child[how]()
  child.channel?.[how]()
}
