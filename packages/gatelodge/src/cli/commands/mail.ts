import { mailStates } from '../../admin/mails/find-mails.ts'
import { second, systemClock, toIso } from '../../kernel/clock.ts'
import { durationInWords } from '../../kernel/duration.ts'
import type { MailState } from '../../store/schema.ts'
import { command } from '../command.ts'
import { withDeps } from '../deps.ts'
import { usageError } from '../parse.ts'
import { tableOf, wideOption } from '../table.ts'
import { readLimit } from './limits.ts'

export const mailCommands = [
  command({
    name: 'mail list',
    summary: 'List the mails in the outbox, newest first; their recipients stay encrypted.',
    operands: [],
    options: {
      state: { value: 'STATE', choices: mailStates, doc: `Only mails in this state: ${mailStates.join(', ')}.` },
      limit: { value: 'NUMBER', doc: 'The maximum number of rows, up to 1000. Default: 50.' },
      wide: wideOption,
    },
    examples: ['gatelodge mail list --state failed'],
    async run(context) {
      const input = { state: readState(context.options.state), limit: readLimit(context.options.limit) }
      const { findMails } = await import('../../admin/mails/find-mails.ts')
      const found = await withDeps(context, (deps, actor) => findMails(deps, actor, input))
      const now = systemClock.now()
      const mails = found.map(({ created_at, next_attempt_at, finished_at, ...mail }) => ({
        ...mail,
        created_at: toIso(created_at),
        age_seconds: Math.max(0, Math.floor((now - created_at) / second)),
        next_attempt_at: finished_at === null ? toIso(next_attempt_at) : null,
        finished_at: finished_at === null ? null : toIso(finished_at),
      }))
      const { wide } = context.options
      const table = tableOf({ wide }, now)
      const rows = found.map((mail) => [
        table.id(mail.id),
        mail.kind,
        mail.state,
        String(mail.attempts),
        ...(wide ? [table.time(mail.created_at)] : []), // its age says the same
        durationInWords(Math.max(second, now - mail.created_at)),
        mail.finished_at === null ? table.time(mail.next_attempt_at) : '-',
        mail.last_error ?? '-',
      ])
      const requested = wide ? ['REQUESTED'] : []
      const head = ['ID', 'KIND', 'STATE', 'ATTEMPTS', ...requested, 'AGE', 'NEXT ATTEMPT', 'LAST ERROR']
      return { json: { mails }, text: table.print(head, rows, 'No mails.') }
    },
  }),

  command({
    name: 'mail retry',
    summary: 'Retry a pending mail now, or send a failed one again.',
    operands: ['[ID]'],
    options: { failed: { doc: 'Send all failed mails again.' } },
    examples: ['gatelodge mail retry --failed'],
    async run(context) {
      const { '[ID]': id } = context.operands
      if ((id === '') !== context.options.failed) throw usageError('Specify either the ID of a mail or --failed')

      const { retryFailedMails, retryMail } = await import('../../admin/mails/retry-mail.ts')
      const retried = await withDeps(context, async (deps, actor) =>
        id === '' ? retryFailedMails(deps, actor) : [await retryMail(deps, actor, { id })],
      )
      return {
        json: { retried },
        text: id === '' ? `Queued ${retried.length} failed mails again.` : 'The server retries it now.',
      }
    },
  }),

  command({
    name: 'mail test',
    summary: 'Send a test mail now and print the result.',
    operands: ['ADDRESS'],
    options: {},
    examples: ['gatelodge mail test you@example.com'],
    async run(context) {
      const { sendTrialMail } = await import('../../admin/mails/send-trial-mail.ts')
      const { ADDRESS: address } = context.operands
      const { to, via } = await withDeps(context, (deps, actor) => sendTrialMail(deps, actor, { address }))
      const unsent = 'No mail server is configured (GATELODGE_SMTP_URL), so nothing was sent'
      if (via === 'mailbox' || via === 'none') {
        const fate =
          via === 'mailbox'
            ? `the running server shows the mail to ${to} in its development mailbox`
            : `the mail to ${to} is not delivered, because the public URL is not on this machine`
        return { json: { to, via, server: null }, text: `${unsent}: ${fate}.` }
      }
      return { json: { to, via: 'smtp', server: via }, text: `The mail server ${via} accepted the mail to ${to}.` }
    },
  }),
]

/** @throws command_invalid */
function readState(text: string | undefined): MailState | undefined {
  if (text === undefined) return undefined

  const state = mailStates.find((known) => known === text)
  if (!state) throw usageError(`--state must be one of ${mailStates.join(', ')}`)
  return state
}
