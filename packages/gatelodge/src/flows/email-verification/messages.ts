
/** What the API says. */
export const emailVerificationAnswers = {
  verified: 'Your email address is confirmed. You can sign in now',
  resent: 'If this address waits for confirmation, a fresh link has been sent to it. Use it before it expires',
} as const
