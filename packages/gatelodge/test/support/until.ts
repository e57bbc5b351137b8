import { setTimeout as pause } from 'node:timers/promises'

/**
 * Polls until a condition holds, less often the longer it takes, because the awaited work needs the processor.
 * @throws after `patience` ms, with the condition
 */
export async function until(isSo: () => boolean | Promise<boolean>, patience = 60_000): Promise<void> {
  const start = performance.now()
  while (!(await isSo())) {
    const waited = performance.now() - start
    if (waited > patience) throw new Error(`not within ${patience} ms: ${isSo}`)
    await pause(Math.min(2 + waited / 50, 20))
  }
}
