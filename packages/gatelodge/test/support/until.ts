import { setTimeout as pause } from 'node:timers/promises'

/** Looks again and again until something is so. @throws after `patience` ms, with what was looked at */
export async function until(isSo: () => boolean | Promise<boolean>, patience = 60_000): Promise<void> {
  const giveUp = performance.now() + patience
  while (!(await isSo())) {
    if (performance.now() > giveUp) throw new Error(`not within ${patience} ms: ${isSo}`)
    await pause(2)
  }
}
