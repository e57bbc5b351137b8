import { type Clock, type Instant, second } from '../../kernel/clock.ts'

/** How long an answer serves all who ask, in ms. */
const life = second

/** Returns `prove` for many callers: those who ask meanwhile share one attempt, and its outcome serves for a second. */
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
