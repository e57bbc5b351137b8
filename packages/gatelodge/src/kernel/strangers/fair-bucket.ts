import { type Clock, second } from '../clock.ts'
import { type Bucket, createBucket, type Rate } from './bucket.ts'

/** A bucket that many share, each under a key. */
export interface FairBucket {
  /** Takes for a key and answers 0, or takes nothing and answers how long to wait, in ms. */
  take(key: string, amount: number): number
}

/** A share drains more slowly than the bucket fills: who takes all the time gets a quarter of what comes back. */
const drainPart = 1 / 4
/** Of so many keys the share is remembered; beyond, the one that took longest ago is new again. */
const mostKeys = 10_000

/**
 * A key may have taken as much as is left and no more. So one alone gets half of a full bucket, ten get a tenth each and leave a tenth, and who has taken
 * nothing is served as long as anything is left (dynamic thresholds, Choudhury and Hahne 1998).
 */
export function createFairBucket(rate: Rate, clock: Clock): FairBucket {
  const whole = createBucket(rate, clock)
  const shares = new Map<string, Bucket>() // the one that took longest ago first
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
      if (shares.size > mostKeys) shares.delete(shares.keys().next().value as string) // there is one
      return 0
    },
  }
}
