import { type ChildProcess, fork } from 'node:child_process'
import { extname } from 'node:path'
import type { DecoderAnswer, DecoderJob } from './decode.ts'

/** A process for decoding, started at the first job and ended when it has had nothing to do for a while. */
export interface DecoderProcess {
  /** Decodes one image; not to be called again before the answer. A process that dies or takes too long is an invalid image. */
  decode(job: DecoderJob): Promise<DecoderAnswer>
  /** Ends the process. */
  end(): void
}

// As .ts from the source and as .js from the published build.
const decoderUrl = new URL(`./decoder${extname(import.meta.url)}`, import.meta.url)

/**
 * Decoders are native code that reads what strangers send, keep memory that their library never gives back, and cannot be interrupted. In a process of
 * their own, without secrets or environment, all three end with it. Times are in ms.
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
  // Of several arenas glibc gives next to nothing back.
  const env = { MALLOC_ARENA_MAX: '2' }
  const child = fork(decoderUrl, {
    env,
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  return child.on('error', () => {}) // that it is gone is seen by its exit
}

/** The answer of the process, or undefined when it ended without one. */
async function ask(child: ChildProcess, job: DecoderJob, patience: number): Promise<DecoderAnswer | undefined> {
  const { promise, resolve } = Promise.withResolvers<DecoderAnswer | undefined>()
  const answered = (answer: unknown) => resolve(answer as DecoderAnswer) // both ends are ours
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

/** Whether this process stays alive for the other one. */
function keepAwake(child: ChildProcess, isBusy: boolean): void {
  const how = isBusy ? 'ref' : 'unref'
  child[how]()
  child.channel?.[how]()
}
