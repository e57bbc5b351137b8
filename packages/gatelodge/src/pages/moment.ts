import { type Instant, toIso } from '../kernel/clock.ts'
import { type Language, localeOf } from '../kernel/languages.ts'
import { type Html, html } from './html.ts'

/** Renders an instant in a list, short and with its zone. A script converts it to the reader's own zone. */
export function moment(instant: Instant, language: Language): Html {
  const format = new Intl.DateTimeFormat(localeOf(language), {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    timeZone: 'UTC',
    timeZoneName: 'short',
  })
  return html`<time dir="auto" datetime="${toIso(instant)}">${format.format(instant)}</time>`
}
