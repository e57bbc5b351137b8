import { PerformanceObserver } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'

/**
 * Prevents V8 from growing its heap after a burst of requests. Queued requests make V8 double the young generation, promote later objects of their kind
 * directly to the old one, and let the old one double and more before it is collected. V8 returns neither, and together they take 100 MB that normal traffic
 * does not need. Called when startup has brought the young generation to its size.
 */
export function keepHeapAsItIs(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--no-allocation-site-pretenuring')
  setFlagsFromString('--heap-growing-percent=30')
  collectWholeHeapOnce()
}

/** Makes the next collection a complete one. Only then does the old generation grow by the percentage above: its first limit is 20 MB more than startup uses. */
function collectWholeHeapOnce(): void {
  setFlagsFromString('--gc-global')
  const observer = new PerformanceObserver(() => {
    setFlagsFromString('--no-gc-global')
    observer.disconnect()
  })
  observer.observe({ entryTypes: ['gc'] })
}
