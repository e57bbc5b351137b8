import { day, hour, minute, second } from './clock.ts'

const units = { ms: 1, s: second, m: minute, h: hour, d: day } as const

const longest = 365_250 * day // a thousand years: an instant that far away still has a date

/** Milliseconds of a text such as `1s`, `15m` or `7d`, or undefined when it is no positive duration of at most a thousand years. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text)
  if (!match) return undefined

  const milliseconds = Math.round(Number(match[1]) * units[match[2] as keyof typeof units])
  return milliseconds > 0 && milliseconds <= longest ? milliseconds : undefined
}

/** The shortest exact text of a duration in milliseconds: `900000` is `15m`. */
export function formatDuration(milliseconds: number): string {
  const unit = (['d', 'h', 'm', 's'] as const).find((name) => milliseconds % units[name] === 0) ?? 'ms'
  return `${milliseconds / units[unit]}${unit}`
}

/** A duration in words, as a person says it: `90000000` is `1 day and 1 hour`. Seconds are left out from one minute up. */
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
