import type { Instant } from '../kernel/clock.ts'
import { durationInWords } from '../kernel/duration.ts'
import { directionOf, type Language, localeOf } from '../kernel/languages.ts'
import { type Html, html, renderHtml, trustedHtml } from './html.ts'
import { type Palette, paletteOf } from './palette.ts'
import { pageWords } from './words/index.ts'

/** What every email knows about the service that sends it. */
export interface MailContext {
  readonly serviceName: string
  readonly publicUrl: string
  /** The operator's accent colour. */
  readonly accent: string | null
  /** The language of the recipient. */
  readonly language: Language
}

/** An email ready for the outbox: a subject line, and the same content as HTML and text. */
export interface RenderedMail {
  readonly subject: string
  readonly html: string
  readonly text: string
}

/** A piece of an email: `action` is the main link, `link` an alternative, `note` small print. */
export type MailBlock =
  | { readonly kind: 'paragraph' | 'note'; readonly text: string }
  | { readonly kind: 'action'; readonly label: string; readonly url: string }
  | { readonly kind: 'link'; readonly text: string; readonly url: string }
  | { readonly kind: 'facts'; readonly facts: readonly (readonly [label: string, value: string])[] }

export interface MailContent {
  /** Never contains text supplied by a user. */
  readonly subject: string
  /** The preview line that mail programs show next to the subject. */
  readonly preheader: string
  /** The name to greet, as the user typed it. Empty or absent gives the neutral greeting. */
  readonly name?: string
  readonly blocks: readonly MailBlock[]
  /** Why the recipient gets this email. */
  readonly footer: string
}

/** Renders HTML and text of an email from the same blocks, so that they cannot diverge. */
export function mailDocument(context: MailContext, content: MailContent): RenderedMail {
  const words = pageWords[context.language].mail
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

/** The texts of an email whose purpose is a link. */
export interface LinkMailWords {
  subject(serviceName: string): string
  readonly preheader: string
  body(serviceName: string): string
  readonly action: string
  /** For a recipient who did not request it. Absent if only the owner can have done so. */
  readonly notYou?: string
  readonly footer: string
}

/** A link that works once, and its lifetime as its email states it. */
export interface TimedLink {
  readonly link: string
  /** In ms. */
  readonly ttl: number
  readonly expiresAt: Instant
}

export interface LinkMail extends TimedLink {
  readonly name: string
}

/** Renders an email with a link: when it expires, and what to do for a recipient who did not request it. */
export function linkMail(context: MailContext, words: LinkMailWords, data: LinkMail): RenderedMail {
  return mailDocument(context, {
    subject: words.subject(context.serviceName),
    preheader: words.preheader,
    name: data.name,
    blocks: [
      { kind: 'paragraph', text: words.body(context.serviceName) },
      { kind: 'action', label: words.action, url: data.link },
      { kind: 'note', text: expirySentence(data.ttl, data.expiresAt, context.language) },
      ...(words.notYou === undefined ? [] : [{ kind: 'note', text: words.notYou } as const]),
    ],
    footer: words.footer,
  })
}

/** The texts of a notice about the security of an account. */
export interface SecurityMailWords {
  subject(serviceName: string): string
  readonly preheader: string
  readonly footer: string
}

/** The part of a notice that says what to do if it was not the owner. */
export interface WayBackWords {
  readonly wasYou: string
  readonly action: string
}

export interface SecurityMail {
  readonly name: string
  /** What happened or was requested. */
  readonly event: string
  readonly facts?: readonly (readonly [label: string, value: string])[]
  /** The link for an owner who did not do it. A link that always works has no lifetime. */
  readonly wayBack: TimedLink | Pick<TimedLink, 'link'>
  /** For a link that does something other than undo the change. */
  readonly wayBackWords?: WayBackWords
  /** Where else to look. */
  readonly look?: { readonly text: string; readonly url: string }
}

/** Renders a notice that tells the owner of an account what happened, and what to do if it was someone else. */
export function securityMail(context: MailContext, words: SecurityMailWords, data: SecurityMail): RenderedMail {
  return mailDocument(context, {
    subject: words.subject(context.serviceName),
    preheader: words.preheader,
    name: data.name,
    blocks: [
      { kind: 'paragraph', text: data.event },
      ...(data.facts ? [{ kind: 'facts', facts: data.facts } as const] : []),
      ...undoBlocks(context, data.wayBack, data.wayBackWords),
      ...(data.look ? [{ kind: 'link', ...data.look } as const] : []),
    ],
    footer: words.footer,
  })
}

/** Renders the part of a security notice that says what to do if it was not the owner, with the link for it. */
function undoBlocks(
  { language }: MailContext,
  wayBack: SecurityMail['wayBack'],
  words: WayBackWords = pageWords[language].mail.undo,
): readonly MailBlock[] {
  const blocks: readonly MailBlock[] = [
    { kind: 'paragraph', text: words.wasYou },
    { kind: 'action', label: words.action, url: wayBack.link },
  ]
  if (!('ttl' in wayBack)) return blocks
  return [...blocks, { kind: 'note', text: expirySentence(wayBack.ttl, wayBack.expiresAt, language) }]
}

/** Describes when a link with the given lifetime in ms expires, in words and as an exact time with its zone. */
export function expirySentence(ttlMs: number, expiresAt: Instant, language: Language): string {
  const locale = localeOf(language)
  return pageWords[language].mail.expiry(durationInWords(ttlMs, locale), exactTime(expiresAt, locale))
}

/** Formats an instant for people, with weekday and zone: `Saturday, November 21, 2026 at 10:05 AM UTC`. */
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
 * Returns text from outside on one line of at most 80 code points, or undefined if nothing is left or a mail program might turn it into a link: a stranger who
 * signs up with another person's address must not be able to send them a message.
 */
export function harmlessText(text: string): string | undefined {
  const line = oneLine(text.toWellFormed())
  const visible = line.replace(/[\p{Cf}\p{Mn}]/gu, '').normalize('NFKC')
  if (visible === '') return undefined
  if (/[:/\\@]|[.。]\p{L}{2}|\d[\d ()-]{5,}\d/u.test(visible)) return undefined

  const characters = Array.from(line)
  return characters.length > 80 ? `${characters.slice(0, 79).join('')}…` : line
}

/** Returns text on one line. */
// CR and LF would start a new header (CWE-93); bidi overrides would reverse the surrounding text.
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

function htmlBlock(block: MailBlock, rawLink: string, styles: ReturnType<typeof stylesOf>): Html {
  switch (block.kind) {
    case 'paragraph':
      return html`<p style="${styles.paragraph}">${block.text}</p>\n`
    case 'note':
      return html`<p class="muted" style="${styles.note}">${block.text}</p>\n`
    case 'action':
      return html`<p style="${styles.actionRow}"><a class="button" href="${block.url}" target="_blank" rel="noopener noreferrer" style="${styles.button}">${block.label}</a></p>
<p class="muted" style="${styles.note}">${rawLink}<br><span class="url" dir="ltr" style="${styles.url}">${block.url}</span></p>\n`
    case 'link':
      return html`<p style="${styles.paragraph}">${block.text}<br><a class="url" dir="ltr" href="${block.url}" target="_blank" rel="noopener noreferrer" style="${styles.url}">${block.url}</a></p>\n`
    case 'facts':
      return html`<p class="facts" style="${styles.facts}">${block.facts.map(
        ([label, value], index) =>
          html`${index > 0 && html`<br>`}<span class="muted" style="${styles.label}">${label}:</span> <span dir="auto">${value}</span>`,
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
  const { language, accent } = context
  const styles = stylesOf(paletteOf('light', accent))
  const direction = directionOf(language)
  // Mail programs do not support logical properties, and some drop styles of html and body, so the column repeats them.
  const column = `${styles.column};text-align:${direction === 'rtl' ? 'right' : 'left'}`

  return renderHtml(html`<!doctype html>
<html lang="${language}" dir="${direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${subject}</title>
<style>${trustedHtml(darkRules(paletteOf('dark', accent)))}</style>
</head>
<body class="page" style="${styles.page}">
<div style="${styles.preheader}">${preheader}</div>
<div lang="${language}" dir="${direction}" style="${column}">
<p class="brand" style="${styles.brand}">${context.serviceName}</p>
<div class="card" style="${styles.card}">
<h1 style="${styles.heading}">${subject}</h1>
${blocks.map((block) => htmlBlock(block, pageWords[language].mail.rawLink, styles))}</div>
<p class="muted" style="${styles.footer}">${footer.map((line, index) => html`${index > 0 && html`<br>`}${line}`)}</p>
</div>
</body>
</html>
`)
}

/** Returns inline styles, because many mail programs drop the head. */
function stylesOf(colors: Palette) {
  return {
    page: `margin:0;padding:0;background-color:${colors.page};color:${colors.text};font-family:-apple-system,BlinkMacSystemFont,Segoe UI,Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.55`,
    preheader: 'display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;font-size:1px;line-height:1px',
    column: 'max-width:560px;margin:0 auto;padding:24px 12px',
    brand: `margin:0 0 12px;padding:0 4px;font-size:15px;font-weight:600;color:${colors.accent}`,
    card: `background-color:${colors.surface};border:1px solid ${colors.line};border-radius:12px;padding:28px 24px 12px`,
    heading: 'margin:0 0 16px;font-size:21px;line-height:1.3;font-weight:650',
    paragraph: 'margin:0 0 16px',
    note: `margin:0 0 16px;font-size:14px;color:${colors.muted}`,
    actionRow: 'margin:24px 0 16px',
    button: `display:inline-block;background-color:${colors.accent};color:${colors['on-accent']};font-weight:600;text-decoration:none;padding:12px 22px;border-radius:8px`,
    url: `color:${colors.accent};word-break:break-all;overflow-wrap:anywhere`,
    facts: `margin:0 0 16px;padding:12px 16px;background-color:${colors.sunken};border-radius:8px;overflow-wrap:anywhere`,
    label: `color:${colors.muted}`,
    footer: `margin:16px 4px 0;font-size:13px;color:${colors.muted};overflow-wrap:anywhere`,
  } as const
}

function darkRules(colors: Palette): string {
  return `
@media (prefers-color-scheme: dark) {
  .page { background-color: ${colors.page} !important; color: ${colors.text} !important; }
  .card { background-color: ${colors.surface} !important; border-color: ${colors.line} !important; }
  .facts { background-color: ${colors.sunken} !important; }
  .brand, .url { color: ${colors.accent} !important; }
  .muted { color: ${colors.muted} !important; }
  .button { background-color: ${colors.accent} !important; color: ${colors['on-accent']} !important; }
}
`
}
