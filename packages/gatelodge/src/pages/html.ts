export type { Html }

/** A value in a template. Everything but Html is escaped; `undefined`, `null` and `false` render as nothing. */
export type HtmlValue = Html | string | number | false | null | undefined | readonly HtmlValue[]

/** Creates markup from a template. Every value is escaped for text and for quoted attributes, so attributes must be quoted. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let markup = strings[0] ?? ''
  for (let index = 1; index < strings.length; index += 1) markup += toMarkup(values[index - 1]) + strings[index]
  return new Html(markup)
}

/** Creates markup without any check: for our own constants (an email's CSS), never for text from outside. */
export function trustedHtml(markup: string): Html {
  return new Html(markup)
}

/** Returns the markup as text, ready to be sent. */
export function renderHtml(markup: Html): string {
  return Html.read(markup)
}

// Only the type is exported: the functions above are the only way to create one, and a look-alike object is rejected.
class Html {
  readonly #markup: string

  constructor(markup: string) {
    this.#markup = markup
  }

  static read(html: Html): string {
    return html.#markup
  }
}

function toMarkup(value: HtmlValue): string {
  if (value === undefined || value === null || value === false) return ''
  if (value instanceof Html) return renderHtml(value)
  if (isList(value)) {
    let markup = ''
    for (const item of value) markup += toMarkup(item)
    return markup
  }
  return escapeText(String(value))
}

function isList(value: HtmlValue): value is readonly HtmlValue[] {
  return Array.isArray(value)
}

const special = /[&<>"']/

function escapeText(text: string): string {
  if (!special.test(text)) return text
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
