/** The English words of the session routes. */
export const sessionMessages = {
  signedOut: 'You have signed out',
} as const
