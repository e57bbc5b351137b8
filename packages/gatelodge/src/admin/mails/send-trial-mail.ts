import type { Deps } from '../../domain/deps.ts'
import { parseEmail } from '../../domain/identifiers/email.ts'
import { mailContext, requestMail } from '../../domain/outbox.ts'
import { smtpTransport } from '../../jobs/transports.ts'
import type { Actor } from '../../kernel/actor.ts'
import { AuthError } from '../../kernel/errors.ts'
import { uuidv7 } from '../../kernel/ids.ts'
import { isLoopbackUrl } from '../../kernel/loopback.ts'
import { testMail } from '../../pages/trial-mail.ts'
import { transact } from '../../store/unit-of-work.ts'

/**
 * Sends a test mail to the mail server directly, without the outbox, and returns which server accepted it. If none is configured, the outbox stores the mail:
 * the running server shows it in its development mailbox (`mailbox`), or not at all if the public URL is not on this machine (`none`).
 * @throws input_invalid, service_unavailable with the server's reply
 */
export async function sendTrialMail(
  deps: Deps,
  actor: Actor,
  input: { address: string },
): Promise<{ to: string; via: string }> {
  const to = parseEmail('address', input.address)
  const { smtp, smtpName, mailFrom, publicUrl } = deps.config
  if (smtp === null) {
    await transact(deps, actor, (work) => requestMail(work, 'test', { email: to }))
    return { to, via: isLoopbackUrl(publicUrl) ? 'mailbox' : 'none' }
  }

  const id = uuidv7(deps.clock, deps.random)
  const messageId = `<${id}@${new URL(publicUrl).hostname}>`
  const mail = testMail(mailContext(deps.config, actor.language), { at: deps.clock.now() })
  const transport = smtpTransport(smtp, smtpName)
  try {
    await transport.send({ id, kind: 'test', messageId, from: mailFrom, to, ...mail })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'no reason given'
    const detail = `The mail server ${smtp.host}:${smtp.port} did not accept the mail: ${reason}`
    throw new AuthError('service_unavailable', { detail, cause })
  } finally {
    await transport.close()
  }
  return { to, via: `${smtp.host}:${smtp.port}` }
}
