import { type Config, settings } from '../../config.ts'
import type { Finding } from './finding.ts'

/** Reports settings that are valid but unwise: rate limits off, addresses revealed, passwords in clear. */
export function checkWarnings(warnings: readonly string[]): Finding[] {
  return warnings.map((says) => ({
    check: 'settings',
    status: 'warn',
    says,
    advice: 'change it unless this is intended',
  }))
}

/** NIST SP 800-63B-4, section 3.1.1.2, requires 15 characters where the password is the only factor. */
export function checkPasswordLength({ passwordMinLength }: Config): Finding[] {
  const says = `new passwords have at least ${passwordMinLength} characters`
  if (passwordMinLength >= 15) return [{ check: 'passwords', status: 'ok', says }]

  const advice = `set ${settings.passwordMinLength.env}=15 unless a second factor is required (NIST SP 800-63B-4)`
  return [{ check: 'passwords', status: 'warn', says, advice }]
}

/** This server only speaks plain HTTP: an https URL means that there is a proxy in front of it. */
export function checkProxies({ publicUrl, trustedProxies }: Config): Finding[] {
  const check = 'proxies'
  if (trustedProxies.length > 0) {
    return [{ check, status: 'ok', says: `forwarding headers are trusted from ${trustedProxies.join(', ')}` }]
  }

  if (publicUrl.startsWith('http:')) return [{ check, status: 'ok', says: 'forwarding headers are ignored' }]
  return [
    {
      check,
      status: 'warn',
      says: 'the public URL is https, so a proxy terminates TLS, but no proxy is trusted: all clients count as one address',
      advice: `set ${settings.trustedProxies.env} to the address of the proxy`,
    },
  ]
}
