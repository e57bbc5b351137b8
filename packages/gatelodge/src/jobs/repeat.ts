import type { Log } from '../kernel/log.ts'

/** A job that runs repeatedly until it is stopped. */
export interface RepeatedJob {
  start(): void
  /** Aborts the current run and waits for it. */
  stop(): Promise<void>
}

/** Runs `work` repeatedly, with a pause of `interval` ms between two runs. A failure is logged, and the job continues. */
export function repeat(
  log: Log,
  name: string,
  interval: number,
  work: (stopping: AbortSignal) => Promise<unknown>,
): RepeatedJob {
  const ending = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let underWay: Promise<unknown> = Promise.resolve()

  function plan(): void {
    timer = setTimeout(() => {
      underWay = work(ending.signal)
        .catch((error: unknown) => log.error({ job: name, err: error }, 'a job failed'))
        .finally(() => {
          if (!ending.signal.aborted) plan()
        })
    }, interval).unref()
  }

  return {
    start: plan,
    async stop() {
      ending.abort()
      clearTimeout(timer)
      await underWay
    },
  }
}
