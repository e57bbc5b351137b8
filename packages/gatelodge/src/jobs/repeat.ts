import type { Log } from '../kernel/log.ts'

/** A job that runs again and again until it is stopped. */
export interface RepeatedJob {
  start(): void
  /** Waits for the run under way. */
  stop(): Promise<void>
}

/** Runs `work` every `interval` ms, never twice at once; a failure is logged and the next run comes as planned. */
export function repeat(log: Log, name: string, interval: number, work: () => Promise<unknown>): RepeatedJob {
  let timer: NodeJS.Timeout | undefined
  let underWay: Promise<unknown> = Promise.resolve()
  let stopped = false

  function plan(): void {
    timer = setTimeout(() => {
      underWay = work()
        .catch((error: unknown) => log.error({ job: name, err: error }, 'a job failed'))
        .finally(() => {
          if (!stopped) plan()
        })
    }, interval).unref()
  }

  return {
    start: plan,
    async stop() {
      stopped = true
      clearTimeout(timer)
      await underWay
    },
  }
}
