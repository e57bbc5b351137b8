import { type Clock, type Instant, second } from '../../kernel/clock.ts'

/** How long a result is reused, in ms. */
const life = second

/** Wraps `prove` for many callers: concurrent callers share one attempt, and its outcome is reused for a second. */
export function shareProof(prove: () => Promise<void>, clock: Clock): () => Promise<void> {
  let attempt: Promise<void> | undefined
  let answeredAt: Instant | undefined

  function isFresh(): boolean {
    if (answeredAt === undefined) return true // it is under way

    const age = clock.now() - answeredAt
    return age >= 0 && age < life
  }

  return () => {
    if (attempt && isFresh()) return attempt

    answeredAt = undefined
    attempt = prove().finally(() => {
      answeredAt = clock.now()
    })
    return attempt
  }
}
