import { z } from 'zod'
import type { Deps } from '../../domain/deps.ts'
import type { DevelopmentMailbox, MailboxEntry } from '../../domain/mailbox.ts'
import { type RouteContext, route } from '../../http/route.ts'
import { mailFramePolicy } from '../../http/security-headers.ts'
import { AuthError } from '../../kernel/errors.ts'
import { isLoopbackHost, isLoopbackUrl } from '../../kernel/loopback.ts'
import { plainAddress } from '../../kernel/networks.ts'
import { mailboxListPage, mailboxMailPage } from '../../pages/mailbox-page.ts'

type Asker = Pick<RouteContext<'anyone', undefined, undefined, undefined>, 'header' | 'peer'>

/** Headers that proxies add. Any of them indicates a proxy. */
const forwarding = [
  ...['forwarded', 'via', 'x-real-ip', 'x-client-ip', 'x-cluster-client-ip', 'x-original-host'],
  ...['for', 'host', 'proto', 'port', 'server', 'prefix', 'scheme', 'ssl'].map((fact) => `x-forwarded-${fact}`),
  ...['cf-connecting-ip', 'true-client-ip', 'fastly-client-ip', 'x-envoy-external-address', 'x-azure-clientip'],
]

/**
 * Returns the development mailbox if no mail server is configured, the public URL is on this machine, and the request comes from the machine itself: a loopback
 * peer, a loopback Host, and no proxy in between. A proxy without further configuration looks like the machine itself, which is why the public URL must say
 * where the server is.
 * @throws not_found
 */
function openMailbox(deps: Deps, asker: Asker): DevelopmentMailbox {
  const host = asker.header('host')?.replace(/:\d+$/, '') ?? ''
  const isLocal =
    isLoopbackUrl(deps.config.publicUrl) &&
    asker.peer !== null &&
    isLoopbackHost(plainAddress(asker.peer)) &&
    isLoopbackHost(host) &&
    forwarding.every((name) => asker.header(name) === undefined)
  if (!deps.mailbox || !isLocal) throw new AuthError('not_found')
  return deps.mailbox
}

/** Returns one email of the mailbox. @throws not_found */
function openMail(deps: Deps, asker: Asker, id: string): MailboxEntry {
  const entry = openMailbox(deps, asker).find(id)
  if (!entry) throw new AuthError('not_found')
  return entry
}

const oneMail = z.strictObject({ id: z.string() })

export const mailboxRoutes = [
  route({
    method: 'GET',
    path: '/dev/mailbox',
    surface: 'json',
    tag: 'Operations',
    summary: 'The development mailbox',
    description:
      'Available only while no mail server is configured and the public URL is loopback, and only from the same machine.',
    access: { by: ['anyone'] },
    origin: 'read',
    limit: 'none',
    answers: { 200: { description: 'The mails', schema: 'html' } },
    errors: ['not_found'],
    handle(deps, context) {
      const mailbox = openMailbox(deps, context)
      return { status: 200, html: mailboxListPage(mailbox.entries(), deps.theme, deps.clock.now()) }
    },
  }),

  route({
    method: 'GET',
    path: '/dev/mailbox/:id',
    surface: 'json',
    tag: 'Operations',
    summary: 'One mail in the development mailbox',
    access: { by: ['anyone'] },
    origin: 'read',
    limit: 'none',
    params: oneMail,
    answers: { 200: { description: 'The mail', schema: 'html' } },
    errors: ['not_found'],
    handle(deps, context) {
      const entry = openMail(deps, context, context.params.id)
      return { status: 200, html: mailboxMailPage(entry, deps.theme) }
    },
  }),

  route({
    method: 'GET',
    path: '/dev/mailbox/:id/html',
    surface: 'json',
    tag: 'Operations',
    summary: 'The HTML of one mail, for the frame that shows it',
    access: { by: ['anyone'] },
    origin: 'read',
    limit: 'none',
    params: oneMail,
    answers: { 200: { description: 'The mail', schema: 'html' } },
    errors: ['not_found'],
    handle(deps, context) {
      const entry = openMail(deps, context, context.params.id)
      return { status: 200, html: entry.html, headers: { 'content-security-policy': mailFramePolicy } }
    },
  }),
]
