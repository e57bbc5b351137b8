import type { Config } from '../config.ts'

/** The response headers by kind of body: content type, content security policy and the headers that every response has. */
export interface SecurityHeaders {
  readonly json: Readonly<Record<string, string>>
  readonly problem: Readonly<Record<string, string>>
  readonly text: Readonly<Record<string, string>>
  readonly html: Readonly<Record<string, string>>
  /** For a file, which has its own content type, and for responses without a body. */
  readonly other: Readonly<Record<string, string>>
}

const htmlPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
const apiPolicy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"

/** The policy for a user's picture: nothing in the file may run, however a browser interprets it. */
export const picturePolicy = "default-src 'none'; sandbox"

/**
 * The policy for an email in the development mailbox. Emails have inline styles, and our own page frames them. The sandbox separates them from our origin even
 * if they are opened directly.
 */
export const mailFramePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; " +
  'sandbox allow-popups allow-popups-to-escape-sandbox'

/** Builds the headers, once per configuration. HSTS is sent only if the public URL is https. */
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
