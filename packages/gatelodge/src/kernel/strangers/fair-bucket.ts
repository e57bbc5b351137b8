import { type Clock, second } from '../clock.ts'
import { type Bucket, createBucket, type Rate } from './bucket.ts'

/** A bucket shared by many keys. */
export interface FairBucket {
  /** Takes for a key and returns 0, or takes nothing and returns how long to wait, in ms. */
  take(key: string, amount: number): number
}

/** A key's share drains more slowly than the bucket refills: a key that takes continuously gets a quarter of the refill. */
const drainPart = 1 / 4
/** Keys whose share is remembered. Beyond that the key that has not taken for the longest time counts as new again. */
const mostKeys = 10_000

/**
 * Creates a bucket in which a key may have taken at most as much as is left. So a single key gets half of a full bucket, ten keys get a tenth each and leave
 * a tenth, and a key that has taken nothing is served as long as anything is left (dynamic thresholds, Choudhury and Hahne 1998).
 */
export function createFairBucket(rate: Rate, clock: Clock): FairBucket {
  const whole = createBucket(rate, clock)
  const shares = new Map<string, Bucket>() // least recently used first
  const drain = rate.perSecond * drainPart

  return {
    take(key, amount) {
      const share = shares.get(key) ?? createBucket({ most: rate.most, perSecond: drain }, clock)
      const taken = rate.most - share.level()
      const missing = taken + amount - whole.level()
      if (missing > 0) return Math.ceil((missing / (rate.perSecond + drain)) * second)

      whole.take(amount)
      share.take(amount)
      shares.delete(key)
      shares.set(key, share)
      if (shares.size > mostKeys) shares.delete(shares.keys().next().value as string) // never empty
      return 0
    },
  }
}
