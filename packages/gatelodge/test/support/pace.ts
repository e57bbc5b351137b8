import assert from 'node:assert/strict'

/**
 * Holds a piece of work to a time in ms, in `npm run proofs` only: a busy machine must not fail a test, and the work is the same in both.
 */
export async function withinPace<T>(name: string, longest: number, work: () => T | Promise<T>): Promise<T> {
  const start = performance.now()
  const result = await work()
  const took = performance.now() - start
  if (process.env.PROOFS !== undefined) assert.ok(took < longest, `${name.slice(0, 60)} took ${Math.round(took)} ms`)
  return result
}
