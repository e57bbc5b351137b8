import { type Clock, second } from '../clock.ts'

/** The capacity of a bucket and how much is refilled per second. */
export interface Rate {
  readonly most: number
  readonly perSecond: number
}

/** A token bucket that refills at a steady rate. */
export interface Bucket {
  level(): number
  /** Takes unconditionally: the level may become negative. */
  take(amount: number): void
}

/** Creates a full bucket. Setting the clock back refills nothing. */
export function createBucket({ most, perSecond }: Rate, clock: Clock): Bucket {
  let left = most
  let at = clock.now()

  function level(): number {
    const now = clock.now()
    left = Math.min(most, left + (Math.max(0, now - at) / second) * perSecond)
    at = now
    return left
  }

  return {
    level,
    take(amount) {
      left = level() - amount
    },
  }
}
