import { type Config, settings } from '../../config.ts'
import { second } from '../../kernel/clock.ts'
import { isLoopbackUrl } from '../../kernel/loopback.ts'
import type { Finding } from './finding.ts'

/** Checks that this server responds at its public URL. A server that is not running is no failure. */
export async function checkPublicUrl({ publicUrl }: Config): Promise<Finding[]> {
  const check = 'public URL'
  try {
    const response = await fetch(`${publicUrl}/healthz`, {
      signal: AbortSignal.timeout(3 * second),
      redirect: 'manual',
    })
    const body: unknown = response.ok ? await response.json() : undefined
    if (JSON.stringify(body) === '{"status":"ok"}') return [{ check, status: 'ok', says: `${publicUrl} answers` }]

    const says = `something else answers at ${publicUrl} (status ${response.status})`
    const advice = `check that ${settings.publicUrl.env} is the URL that users visit and that its proxy forwards to this server`
    return [{ check, status: 'fail', says, advice }]
  } catch {
    const says = `nothing answers at ${publicUrl}`
    return [{ check, status: 'warn', says, advice: 'start the server, or check that this URL leads to it' }]
  }
}

/** Checks that the mail server accepts a connection and the credentials. */
export async function checkMail({ smtp, smtpName, publicUrl }: Config): Promise<Finding[]> {
  const check = 'mail'
  if (smtp === null) {
    const says = isLoopbackUrl(publicUrl)
      ? 'no mail server is configured: mails stay in the development mailbox'
      : 'no mail server is configured: mails are not delivered'
    return [{ check, status: 'warn', says, advice: `set ${settings.smtp.env} before real users sign up` }]
  }

  const { smtpTransport } = await import('../../jobs/transports.ts')
  const transport = smtpTransport(smtp, smtpName)
  const server = `${smtp.host}:${smtp.port}`
  try {
    await transport.verify()
    return [{ check, status: 'ok', says: `${server} answers and accepts the credentials` }]
  } catch (error) {
    const says = `${server} cannot be used: ${error instanceof Error ? error.message : 'no reason given'}`
    const advice = `check ${settings.smtp.env}, then try "gatelodge mail test ADDRESS"`
    return [{ check, status: 'fail', says, advice }]
  } finally {
    await transport.close()
  }
}
