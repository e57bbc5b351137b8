import { trimBlanks } from './wire-text.ts'

/** The languages of pages and mails, as BCP 47 tags. The first is the default. */
export const languages = ['en', 'fr', 'de', 'es', 'ar'] as const

export type Language = (typeof languages)[number]

/** The name of each language in that language, for the language menu. */
export const languageNames: Readonly<Record<Language, string>> = {
  en: 'English',
  fr: 'Français',
  de: 'Deutsch',
  es: 'Español',
  ar: 'العربية',
}

/** The same texts in every language. A missing text is a type error. */
export type InLanguages<Words> = Readonly<Record<Language, Translation<Words>>>

/** The keys and parameters of texts, whatever their wording. */
export type Translation<Words> = {
  readonly [Key in keyof Words]: Words[Key] extends string
    ? string
    : Words[Key] extends (...values: infer Values) => string
      ? (...values: Values) => string
      : Translation<Words[Key]>
}

/** Returns the language of a BCP 47 tag such as `de-AT`, or undefined if it is not supported. */
export function languageOf(tag: string | null | undefined): Language | undefined {
  const primary = tag?.toLowerCase().split('-', 1)[0]
  return languages.find((language) => language === primary)
}

/** Returns the supported language that the user prefers, from an Accept-Language header (RFC 9110, section 12.5.4), or undefined if it lists none. */
export function negotiateLanguage(header: string | undefined): Language | undefined {
  if (header === undefined) return undefined

  const preferences = header.slice(0, 500).split(',').map(readPreference)
  const best = preferences
    .filter(({ language, weight }) => language !== undefined && weight > 0)
    .toSorted((a, b) => b.weight - a.weight)[0]
  return best?.language
}

function readPreference(preference: string): { language: Language | undefined; weight: number } {
  const [tag = '', ...parameters] = preference.split(';').map(trimBlanks)
  const quality = parameters.find((parameter) => /^q=/i.test(parameter))
  return { language: languageOf(tag), weight: quality === undefined ? 1 : weightOf(quality.slice(2)) }
}

/** Parses a qvalue (RFC 9110, section 12.4.2); accepts it without the leading zero, which some clients omit. Returns 0 for an invalid one. */
function weightOf(text: string): number {
  return /^(?:[01](?:\.\d{0,3})?|\.\d{1,3})$/.test(text) ? Number(text) : 0
}

/** Returns the writing direction of a language. */
export function directionOf(language: Language): 'ltr' | 'rtl' {
  return language === 'ar' ? 'rtl' : 'ltr'
}

/** Returns the BCP 47 tag for formatting dates and numbers. */
export function localeOf(language: Language): string {
  return language === 'en' ? 'en-US' : language
}
