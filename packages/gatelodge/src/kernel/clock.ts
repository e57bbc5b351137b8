/** A point in time: milliseconds since the Unix epoch. */
export type Instant = number

/** Where the time comes from. Tests inject their own. */
export interface Clock {
  now(): Instant
}

export const systemClock: Clock = { now: () => Date.now() }

/** Milliseconds since some moment in the past, which no change of the system's time moves: for durations within this process. */
export type Monotonic = () => number

export const systemMonotonic: Monotonic = () => performance.now()

/** An instant as ISO 8601 in UTC, the form of the HTTP API. */
export function toIso(instant: Instant): string {
  return new Date(instant).toISOString()
}

export const second = 1_000
export const minute = 60 * second
export const hour = 60 * minute
export const day = 24 * hour
