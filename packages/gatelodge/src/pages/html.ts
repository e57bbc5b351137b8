export type { Html }

/** What may stand in a hole of a template: everything but Html is escaped, `undefined`, `null` and `false` are nothing. */
export type HtmlValue = Html | string | number | false | null | undefined | readonly HtmlValue[]

/** Markup from a template; every hole is escaped for text and for quoted attributes, so attributes must be quoted. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let markup = strings[0] ?? ''
  for (let index = 1; index < strings.length; index += 1) markup += toMarkup(values[index - 1]) + strings[index]
  return new Html(markup)
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
