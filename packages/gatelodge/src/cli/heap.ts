import { setFlagsFromString } from 'node:v8'

/**
 * Keeps V8 from taking a flood for its new measure. Requests that wait behind others make it double the space of young objects, and bear later ones of their
 * kind as old; neither is taken back, and both together are 100 MB that traffic does not need. Called when the start has brought that space to its size.
 */
export function keepHeapAsItIs(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--no-allocation-site-pretenuring')
}
