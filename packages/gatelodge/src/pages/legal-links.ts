import type { Theme } from '../domain/theme.ts'
import type { Language } from '../kernel/languages.ts'
import { type Html, html } from './html.ts'
import { pageWords } from './words/index.ts'

/** Renders links to the operator's terms and privacy policy, if configured. `lead` introduces them. */
export function legalLinks({ termsUrl, privacyUrl }: Theme, language: Language, lead?: string): Html | false {
  const { terms, privacy } = pageWords[language].layout
  const links = [
    termsUrl !== null && html`<a href="${termsUrl}">${terms}</a> `,
    privacyUrl !== null && html`<a href="${privacyUrl}">${privacy}</a>`,
  ]
  return links.some(Boolean) && html`<p class="legal">${lead !== undefined && html`${lead} `}${links}</p>`
}
