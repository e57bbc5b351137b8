import type { Instant } from '../kernel/clock.ts'
import { type InputFault, invalidInput } from '../kernel/errors.ts'
import type { ProfileRow } from '../store/schema.ts'

/** Profile fields to change; null clears one. */
export interface ProfileChange {
  readonly phoneNumber?: string | null | undefined
  readonly website?: string | null | undefined
  readonly githubLink?: string | null | undefined
  readonly birthDate?: string | null | undefined
  readonly locale?: string | null | undefined
}

type ProfileColumns = Partial<Omit<ProfileRow, 'user_id'>>

/** Returns the columns that a change sets. @throws input_invalid with one fault per field */
export function readProfile(change: ProfileChange, now: Instant): ProfileColumns {
  const rules = [
    ['phone_number', change.phoneNumber, isPhoneNumber, 'Enter 5 to 20 digits; spaces and a leading + are allowed'],
    ['website', change.website, isWebLink, 'Enter a link that starts with http:// or https://'],
    ['github_link', change.githubLink, isWebLink, 'Enter a link that starts with http:// or https://'],
    [
      'birth_date',
      change.birthDate,
      (text: string) => isBirthDate(text, now),
      'Enter a past date since 1800 as YYYY-MM-DD',
    ],
    ['locale', change.locale, isLocale, 'Enter a language tag such as en or de-CH'],
  ] as const
  const faults: InputFault[] = rules
    .filter(([, value, isAllowed]) => typeof value === 'string' && !isAllowed(value))
    .map(([name, , , message]) => ({ field: `profile.${name}`, code: 'invalid', message }))
  if (faults.length > 0) throw invalidInput(faults)

  const columns: ProfileColumns = {}
  for (const [name, value] of rules) if (value !== undefined) columns[name] = value
  return columns
}

/** Returns whether a phone number is valid. It is stored as typed: `+`, digits and spaces, 5 to 20 digits. */
function isPhoneNumber(text: string): boolean {
  const digits = text.replace(/\D/g, '').length
  return /^\+?[\d ]{1,40}$/.test(text) && digits >= 5 && digits <= 20
}

/** Returns whether a link is http or https. Links are rendered as links, and any other scheme could run script. */
function isWebLink(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return (
    url !== undefined &&
    /^https?:\/\//i.test(text) &&
    url.hostname !== '' &&
    url.username === '' &&
    url.password === '' &&
    !/\s/.test(text)
  )
}

function isBirthDate(text: string, now: Instant): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || text < '1800-01-01') return false

  const instant = Date.parse(`${text}T00:00:00Z`)
  const isReal = Number.isFinite(instant) && new Date(instant).toISOString().startsWith(text) // 30 February does not exist
  return isReal && instant < now
}

function isLocale(text: string): boolean {
  try {
    return Intl.getCanonicalLocales(text).length === 1
  } catch {
    return false // RangeError: not a BCP 47 language tag
  }
}
