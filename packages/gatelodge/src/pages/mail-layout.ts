import type { Instant } from '../kernel/clock.ts'
import { durationInWords } from '../kernel/duration.ts'
import { type Html, html, renderHtml, trustedHtml } from './html.ts'
import { pageMessages } from './messages.ts'

const words = pageMessages.mail

/** What every mail knows about the service that sends it. */
export interface MailContext {
  readonly serviceName: string
  readonly publicUrl: string
  /** BCP 47, for dates and numbers. */
  readonly locale: string
  readonly timeZone: 'UTC'
}

/** A mail ready for the outbox: one subject line and the same content twice. */
export interface RenderedMail {
  readonly subject: string
  readonly html: string
  readonly text: string
}

/** A piece of a mail; `action` is the one thing to do, `link` another way, `note` the small print. */
export type MailBlock =
  | { readonly kind: 'paragraph' | 'note'; readonly text: string }
  | { readonly kind: 'action'; readonly label: string; readonly url: string }
  | { readonly kind: 'link'; readonly text: string; readonly url: string }
  | { readonly kind: 'facts'; readonly facts: readonly (readonly [label: string, value: string])[] }

export interface MailContent {
  /** Never holds text given by a user. */
  readonly subject: string
  /** The line that mail programs show beside the subject. */
  readonly preheader: string
  /** Whom to greet, as the user typed it; empty or absent gives the neutral greeting. */
  readonly name?: string
  readonly blocks: readonly MailBlock[]
  /** Why this person gets this mail. */
  readonly footer: string
}

/** HTML and text of a mail, both made from the same blocks so that they cannot drift apart. */
export function mailDocument(context: MailContext, content: MailContent): RenderedMail {
  const name = harmlessText(content.name ?? '')
  const greeting: MailBlock = {
    kind: 'paragraph',
    text: name === undefined ? words.neutralGreeting : words.greeting(name),
  }
  const blocks = [greeting, ...content.blocks]
  const footer = [content.footer, words.sentBy(context.serviceName, context.publicUrl)]
  const subject = oneLine(content.subject)

  return {
    subject,
    html: htmlDocument(context, subject, content.preheader, blocks, footer),
    text: `${[...blocks.map(textBlock), `-- \n${footer.join('\n')}`].join('\n\n')}\n`,
  }
}

/** When a link of the given life in milliseconds ends, in words and as an exact time with its zone. */
export function expirySentence(ttlMs: number, expiresAt: Instant, locale: string): string {
  return words.expiry(durationInWords(ttlMs, locale), exactTime(expiresAt, locale))
}

/** An instant as a person reads it, with weekday and zone: `Saturday, November 21, 2026 at 10:05 AM UTC`. */
export function exactTime(instant: Instant, locale: string): string {
  const format = new Intl.DateTimeFormat(locale, {
    weekday: 'long',
    year: 'numeric',
    month: 'long',
    day: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    timeZone: 'UTC',
    timeZoneName: 'short',
  })
  return format.format(instant).replaceAll('\u202f', ' ')
}

/**
 * Text from outside on one line of at most 80 code points, or undefined when nothing is left or a mail program might make
 * a link of it: a stranger who signs up with somebody's address must not get to write them a message.
 */
export function harmlessText(text: string): string | undefined {
  const line = oneLine(text.toWellFormed())
  const visible = line.replace(/[\p{Cf}\p{Mn}]/gu, '').normalize('NFKC')
  if (visible === '') return undefined
  if (/[:/\\@]|[.。]\p{L}{2}|\d[\d ()-]{5,}\d/u.test(visible)) return undefined

  const characters = Array.from(line)
  return characters.length > 80 ? `${characters.slice(0, 79).join('')}…` : line
}

/** Text on one line. */
// CR and LF would start a new header (CWE-93); bidi overrides would turn what follows around.
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\s]+/gu, ' ').trim()
}

function textBlock(block: MailBlock): string {
  switch (block.kind) {
    case 'paragraph':
    case 'note':
      return block.text
    case 'action':
      return `${block.label}:\n${block.url}`
    case 'link':
      return `${block.text}\n${block.url}`
    case 'facts':
      return block.facts.map(([label, value]) => `${label}: ${value}`).join('\n')
  }
}

function htmlBlock(block: MailBlock): Html {
  switch (block.kind) {
    case 'paragraph':
      return html`<p style="${styles.paragraph}">${block.text}</p>\n`
    case 'note':
      return html`<p class="muted" style="${styles.note}">${block.text}</p>\n`
    case 'action':
      return html`<p style="${styles.actionRow}"><a class="button" href="${block.url}" target="_blank" rel="noopener noreferrer" style="${styles.button}">${block.label}</a></p>
<p class="muted" style="${styles.note}">${words.rawLink}<br><span class="url" style="${styles.url}">${block.url}</span></p>\n`
    case 'link':
      return html`<p style="${styles.paragraph}">${block.text}<br><a class="url" href="${block.url}" target="_blank" rel="noopener noreferrer" style="${styles.url}">${block.url}</a></p>\n`
    case 'facts':
      return html`<p class="facts" style="${styles.facts}">${block.facts.map(
        ([label, value], index) =>
          html`${index > 0 && html`<br>`}<span class="muted" style="${styles.label}">${label}:</span> ${value}`,
      )}</p>\n`
  }
}

function htmlDocument(
  context: MailContext,
  subject: string,
  preheader: string,
  blocks: readonly MailBlock[],
  footer: readonly string[],
): string {
  return renderHtml(html`<!doctype html>
<html lang="${context.locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${subject}</title>
<style>${trustedHtml(darkMode)}</style>
</head>
<body class="page" style="${styles.page}">
<div style="${styles.preheader}">${preheader}</div>
<div style="${styles.column}">
<p class="brand" style="${styles.brand}">${context.serviceName}</p>
<div class="card" style="${styles.card}">
<h1 style="${styles.heading}">${subject}</h1>
${blocks.map(htmlBlock)}</div>
<p class="muted" style="${styles.footer}">${footer.map((line, index) => html`${index > 0 && html`<br>`}${line}`)}</p>
</div>
</body>
</html>
`)
}

const styles = {
  page: 'margin:0;padding:0;background-color:#f3f5f4;color:#1d2523;font-family:-apple-system,BlinkMacSystemFont,Segoe UI,Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.55',
  preheader: 'display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;font-size:1px;line-height:1px',
  column: 'max-width:560px;margin:0 auto;padding:24px 12px',
  brand: 'margin:0 0 12px;padding:0 4px;font-size:15px;font-weight:600;color:#1b6b58',
  card: 'background-color:#ffffff;border:1px solid #dde3e1;border-radius:12px;padding:28px 24px 12px',
  heading: 'margin:0 0 16px;font-size:21px;line-height:1.3;font-weight:650',
  paragraph: 'margin:0 0 16px',
  note: 'margin:0 0 16px;font-size:14px;color:#55615d',
  actionRow: 'margin:24px 0 16px',
  button:
    'display:inline-block;background-color:#1b6b58;color:#ffffff;font-weight:600;text-decoration:none;padding:12px 22px;border-radius:8px',
  url: 'color:#1b6b58;word-break:break-all;overflow-wrap:anywhere',
  facts: 'margin:0 0 16px;padding:12px 16px;background-color:#f3f5f4;border-radius:8px;overflow-wrap:anywhere',
  label: 'color:#55615d',
  footer: 'margin:16px 4px 0;font-size:13px;color:#55615d;overflow-wrap:anywhere',
} as const

const darkMode = `
@media (prefers-color-scheme: dark) {
  .page { background-color: #121716 !important; color: #e6ecea !important; }
  .card { background-color: #1b2220 !important; border-color: #313b38 !important; }
  .facts { background-color: #121716 !important; }
  .brand, .url { color: #6fd3b5 !important; }
  .muted { color: #a3b0ac !important; }
  .button { background-color: #6fd3b5 !important; color: #0c1a16 !important; }
}
`
