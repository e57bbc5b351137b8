import { day, hour, minute, second } from './clock.ts'

const units = { ms: 1, s: second, m: minute, h: hour, d: day } as const

const longest = 365_250 * day // a thousand years, so that a date that far away can still be represented

/** Parses a duration such as `1s`, `15m` or `7d` into ms. Returns undefined unless it is positive and at most a thousand years. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text)
  if (!match) return undefined

  const milliseconds = Math.round(Number(match[1]) * units[match[2] as keyof typeof units])
  return milliseconds > 0 && milliseconds <= longest ? milliseconds : undefined
}

/** Formats a duration, given in ms, as the shortest exact text: `900000` becomes `15m`. */
export function formatDuration(milliseconds: number): string {
  const unit = (['d', 'h', 'm', 's'] as const).find((name) => milliseconds % units[name] === 0) ?? 'ms'
  return `${milliseconds / units[unit]}${unit}`
}

/** Formats a duration, given in ms, in words: `90000000` becomes `1 day and 1 hour`. Omits seconds from one minute up. */
export function durationInWords(milliseconds: number, locale = 'en'): string {
  const total =
    milliseconds < minute ? Math.ceil(milliseconds / second) * second : Math.round(milliseconds / minute) * minute
  const parts = [
    ['day', Math.floor(total / day)],
    ['hour', Math.floor((total % day) / hour)],
    ['minute', Math.floor((total % hour) / minute)],
    ['second', Math.floor((total % minute) / second)],
  ] as const
  const words = parts
    .filter(([, count]) => count > 0)
    .map(([unit, count]) => new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(count))

  return new Intl.ListFormat(locale, { type: 'conjunction' }).format(words)
}
