import assert from 'node:assert/strict'

const tries = 3

/**
 * Limits the time of an operation in ms, but only in `npm run proofs`: a busy machine must not fail a test. An operation that takes too long is repeated at
 * most twice: other load slows down one attempt, while slow code is slow every time.
 */
export async function withinPace<T>(name: string, longest: number, work: () => T | Promise<T>): Promise<T> {
  for (let left = tries; ; left -= 1) {
    const start = performance.now()
    const result = await work()
    const took = performance.now() - start
    if (process.env.PROOFS === undefined || took < longest) return result
    assert.ok(left > 1, `${name.slice(0, 60)} took ${Math.round(took)} ms`)
  }
}
