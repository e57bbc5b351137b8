import { trimBlanks } from './wire-text.ts'

/** Every language that pages and mails speak, each by its BCP 47 tag; the first is the default. */
export const languages = ['en', 'fr', 'de', 'es', 'ar'] as const

export type Language = (typeof languages)[number]

/** Each language in its own words, for the switcher. */
export const languageNames: Readonly<Record<Language, string>> = {
  en: 'English',
  fr: 'Français',
  de: 'Deutsch',
  es: 'Español',
  ar: 'العربية',
}

/** The same words in every language; one that lacks a word does not compile. */
export type InLanguages<Words> = Readonly<Record<Language, Translation<Words>>>

/** The shape of words, whatever their text. */
export type Translation<Words> = {
  readonly [Key in keyof Words]: Words[Key] extends string
    ? string
    : Words[Key] extends (...values: infer Values) => string
      ? (...values: Values) => string
      : Translation<Words[Key]>
}

/** The language of a BCP 47 tag such as `de-AT`, or undefined when we do not speak it. */
export function languageOf(tag: string | null | undefined): Language | undefined {
  const primary = tag?.toLowerCase().split('-', 1)[0]
  return languages.find((language) => language === primary)
}

/** The language of ours that a reader likes best, from an Accept-Language header (RFC 9110, section 12.5.4); undefined when none is named. */
export function negotiateLanguage(header: string | undefined): Language | undefined {
  if (header === undefined) return undefined

  const wishes = header.slice(0, 500).split(',').map(readWish)
  const best = wishes
    .filter(({ language, weight }) => language !== undefined && weight > 0)
    .toSorted((a, b) => b.weight - a.weight)[0]
  return best?.language
}

function readWish(wish: string): { language: Language | undefined; weight: number } {
  const [tag = '', ...parameters] = wish.split(';').map(trimBlanks)
  const quality = parameters.find((parameter) => /^q=/i.test(parameter))
  return { language: languageOf(tag), weight: quality === undefined ? 1 : weightOf(quality.slice(2)) }
}

/** A qvalue (RFC 9110, section 12.4.2), also without the zero that some clients leave out; what is none weighs nothing. */
function weightOf(text: string): number {
  return /^(?:[01](?:\.\d{0,3})?|\.\d{1,3})$/.test(text) ? Number(text) : 0
}

/** The direction in which a language is written. */
export function directionOf(language: Language): 'ltr' | 'rtl' {
  return language === 'ar' ? 'rtl' : 'ltr'
}

/** The tag for dates and numbers. */
export function localeOf(language: Language): string {
  return language === 'en' ? 'en-US' : language
}
