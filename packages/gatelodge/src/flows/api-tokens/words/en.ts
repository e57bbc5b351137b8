import type { Translation } from '../../../kernel/languages.ts'

/** The texts about API tokens, in English. */
export const en = {
  pages: {
    lead: 'A program that holds one of these tokens is taken for you by the services that accept them. Keep them like passwords.',
    none: 'There are no API tokens.',
    scopes: 'Scopes',
    noScopes: 'none',
    created: 'Made',
    expires: 'Expires',
    lastUsed: 'Last used',
    never: 'never',
    revoke: 'Revoke',
    revoked: 'The token is revoked.',
    gone: 'This token was revoked or has expired already.',
    new: {
      title: 'New API token',
      name: 'Name',
      nameHint: 'So that you know it again, such as: backup script',
      scopes: 'Scopes',
      scopesHint: 'What it may do, in the words of the service that it is for, with blanks between',
      expiresIn: 'Good for',
      submit: 'Make the token',
      made: 'Your new token. Copy it now: it is not shown again.',
    },
  },
  mails: {
    created: {
      subject: (serviceName: string) => `A new API token at ${serviceName}`,
      preheader: 'If it was you, there is nothing to do.',
      body: (serviceName: string, moment: string, end: string) =>
        `An API token was made for your account at ${serviceName} on ${moment}. Until ${end}, programs that hold it are taken for you.`,
      look: 'See all your tokens and revoke those that you do not need:',
      footer: 'You receive this mail because it concerns the safety of your account.',
    },
  },
} as const

/** The type of these texts. */
export type ApiTokenWords = Translation<typeof en>
