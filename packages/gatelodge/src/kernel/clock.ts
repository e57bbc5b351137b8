/** A point in time, in ms since the Unix epoch. */
export type Instant = number

/** The source of the current time. Tests inject their own. */
export interface Clock {
  now(): Instant
}

export const systemClock: Clock = { now: () => Date.now() }

/** Returns ms since an arbitrary point in the past, unaffected by changes of the system time. For durations within this process. */
export type Monotonic = () => number

export const systemMonotonic: Monotonic = () => performance.now()

/** Formats an instant as ISO 8601 in UTC, as the HTTP API does. */
export function toIso(instant: Instant): string {
  return new Date(instant).toISOString()
}

export const second = 1_000
export const minute = 60 * second
export const hour = 60 * minute
export const day = 24 * hour
