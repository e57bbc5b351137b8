import type { Translation } from '../../../kernel/languages.ts'

/** The texts about changing a password, in English. */
export const en = {
  pages: {
    title: 'Password',
    old: 'Current password',
    new: 'New password',
    confirmation: 'New password again',
    hint: (length: number) => `At least ${length} characters; a few unrelated words are easy to keep`,
    submit: 'Change the password',
    changed: 'Your password is changed. You are signed out everywhere else.',
  },
  mails: {
    changed: {
      subject: (serviceName: string) => `Your password at ${serviceName} was changed`,
      preheader: 'If it was you, there is nothing to do.',
      body: (serviceName: string, moment: string) =>
        `The password of your account at ${serviceName} was changed on ${moment}. Everyone else who was signed in has been signed out.`,
      footer: 'You receive this mail because it concerns the safety of your account.',
    },
  },
} as const

/** The type of these texts. */
export type PasswordChangeWords = Translation<typeof en>
