import { setFlagsFromString } from 'node:v8'

/**
 * Keeps V8 from taking a flood for its new measure. Requests that wait behind others make it double the space of young objects, bear later ones of their kind
 * as old, and let old ones double and more before it collects them; neither space is given back, and together they are 100 MB that traffic does not need.
 * Called when the start has brought the space of young objects to its size.
 */
export function keepHeapAsItIs(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--no-allocation-site-pretenuring')
  setFlagsFromString('--heap-growing-percent=30')
}
