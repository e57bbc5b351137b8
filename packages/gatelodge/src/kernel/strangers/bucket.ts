import { type Clock, second } from '../clock.ts'

/** How much there is at most, and what comes back in a second. */
export interface Rate {
  readonly most: number
  readonly perSecond: number
}

/** A store that fills at a steady rate. */
export interface Bucket {
  level(): number
  /** Takes without asking: the level may fall below nothing. */
  take(amount: number): void
}

/** A full bucket. A clock that is set back brings nothing back. */
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
