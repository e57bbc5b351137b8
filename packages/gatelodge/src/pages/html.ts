export type { Html }

/** What may stand in a hole of a template: everything but Html is escaped, `undefined`, `null` and `false` are nothing. */
export type HtmlValue = Html | string | number | false | null | undefined | readonly HtmlValue[]

/** Markup from a template; every hole is escaped for text and for quoted attributes, so attributes must be quoted. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(strings.reduce((markup, string, index) => markup + toMarkup(values[index - 1]) + string))
}

/** Markup that nothing checks: for constants of our own (a mail's CSS), never for text that came from outside. */
export function trustedHtml(markup: string): Html {
  return new Html(markup)
}

/** The markup as text, ready to be sent. */
export function renderHtml(markup: Html): string {
  return Html.read(markup)
}

// Only its type is exported: the functions above are the only makers, and an object that merely looks alike is refused.
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
  if (isList(value)) return value.map(toMarkup).join('')
  return escapeText(String(value))
}

function isList(value: HtmlValue): value is readonly HtmlValue[] {
  return Array.isArray(value)
}

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
