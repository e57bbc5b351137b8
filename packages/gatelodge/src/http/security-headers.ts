import type { Config } from '../config.ts'

/** The headers of a response by the kind of its body: its content type, its content security policy and those that every response has. */
export interface SecurityHeaders {
  readonly json: Readonly<Record<string, string>>
  readonly problem: Readonly<Record<string, string>>
  readonly text: Readonly<Record<string, string>>
  readonly html: Readonly<Record<string, string>>
  /** For a file, which brings its own content type, and for no body. */
  readonly other: Readonly<Record<string, string>>
}

const htmlPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
const apiPolicy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"

/** For a picture of a user: nothing in the file may run, however a browser reads it. */
export const picturePolicy = "default-src 'none'; sandbox"

/**
 * For a mail in the development mailbox: mails style themselves inline, and our own page frames them. The sandbox keeps them from our origin even when
 * they are opened directly.
 */
export const mailFramePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; " +
  'sandbox allow-popups allow-popups-to-escape-sandbox'

/** Puts the headers together, once for a configuration. HSTS is sent only where the public URL is https. */
export function createSecurityHeaders({ publicUrl }: Pick<Config, 'publicUrl'>): SecurityHeaders {
  const common: Readonly<Record<string, string>> = {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), publickey-credentials-get=(self)',
    ...(publicUrl.startsWith('https:') && { 'strict-transport-security': 'max-age=63072000; includeSubDomains' }),
  }
  const withBody = (type: string, policy = apiPolicy) => ({
    'content-type': type,
    'content-security-policy': policy,
    ...common,
  })
  return {
    json: withBody('application/json; charset=utf-8'),
    problem: withBody('application/problem+json'),
    text: withBody('text/plain; charset=utf-8'),
    html: withBody('text/html; charset=utf-8', htmlPolicy),
    other: { 'content-security-policy': apiPolicy, ...common },
  }
}
