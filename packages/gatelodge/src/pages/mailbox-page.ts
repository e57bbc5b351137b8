import type { Theme } from '../domain/theme.ts'
import { day, hour, type Instant, minute, toIso } from '../kernel/clock.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'
import { exactTime } from './mail-layout.ts'
import { pageMessages } from './messages.ts'

const words = pageMessages.mailbox

/** An email in the development mailbox. */
export interface MailboxEntry {
  readonly id: string
  readonly to: string
  readonly from: string
  readonly subject: string
  readonly date: Instant
  readonly html: string
  readonly text: string
  readonly kind: string
}

/** Renders the list of all emails, newest first. */
export function mailboxListPage(entries: readonly MailboxEntry[], theme: Theme, now: Instant): string {
  const newestFirst = entries.toSorted((a, b) => b.date - a.date)
  const list = html`<ul class="mails">
${newestFirst.map(
  (entry) => html`<li><a class="card mail-row" href="${mailPath(entry)}">
<span class="mail-subject">${entry.subject}</span>
<span class="mail-to"><bdi>${entry.to}</bdi></span>
<time class="muted" datetime="${toIso(entry.date)}">${ago(now - entry.date)}</time>
</a></li>
`,
)}</ul>`
  const body = html`<div class="title-row"><h1>${words.title}</h1><a class="button quiet" href="/dev/mailbox">${words.reload}</a></div>
<p class="muted">${words.lead}${entries.length > 0 && ` ${words.count(entries.length)}.`}</p>
${entries.length > 0 ? list : html`<p class="card">${words.empty}</p>`}`

  return page({ title: words.title, theme, body, wide: true })
}

/** Renders one email as its recipient sees it, followed by its text version and its source. */
export function mailboxMailPage(entry: MailboxEntry, theme: Theme): string {
  const body = html`<p><a href="/dev/mailbox">${words.back}</a></p>
<h1>${entry.subject}</h1>
<dl class="facts">
${fact(words.from, html`<bdi>${entry.from}</bdi>`)}
${fact(words.to, html`<bdi>${entry.to}</bdi>`)}
${fact(words.date, html`<time datetime="${toIso(entry.date)}">${exactTime(entry.date, 'en-US')}</time>`)}
${fact(words.kind, html`<code>${entry.kind}</code>`)}
</dl>
<iframe class="mail-frame" title="${words.htmlVersion}" sandbox="allow-popups allow-popups-to-escape-sandbox" src="${mailPath(entry)}/html"></iframe>
<h2>${words.textVersion}</h2>
<pre class="mail-text" tabindex="0">${entry.text}</pre>
<details><summary>${words.source}</summary>
<pre tabindex="0">${source(entry)}</pre>
</details>`

  return page({ title: entry.subject, theme, body, wide: true })
}

function mailPath(entry: MailboxEntry): string {
  return `/dev/mailbox/${encodeURIComponent(entry.id)}`
}

function fact(label: string, value: Html): Html {
  return html`<div><dt>${label}</dt><dd>${value}</dd></div>`
}

function source(entry: MailboxEntry): string {
  return [
    `${words.from}: ${entry.from}`,
    `${words.to}: ${entry.to}`,
    `Subject: ${entry.subject}`,
    `${words.date}: ${new Date(entry.date).toUTCString()}`,
    '',
    entry.html,
  ].join('\n')
}

function ago(milliseconds: number): string {
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
  const step = (
    [
      ['day', day],
      ['hour', hour],
      ['minute', minute],
      ['second', 1000],
    ] as const
  ).find(([, size]) => milliseconds >= size)
  return step ? format.format(-Math.floor(milliseconds / step[1]), step[0]) : format.format(0, 'second')
}
