import type { Translation } from '../../../kernel/languages.ts'

/** The texts about changing an email address, in English. */
export const en = {
  pages: {
    account: {
      title: 'E-mail address',
      current: 'Current address',
      unconfirmed: 'This address is not confirmed yet.',
      resend: 'Send the link again',
      new: 'New e-mail address',
      password: 'Current password',
      submit: 'Change the address',
      requested: 'A link is on its way to the new address. Nothing changes before you open it.',
    },
    confirm: {
      title: 'Confirm your new address',
      lead: 'Your account will use the address that this link was mailed to. You stay signed in on this device only.',
      submit: 'Confirm this address',
      done: 'Your e-mail address is changed. Sign in with the new one.',
      doneSignedIn: 'Your e-mail address is changed.',
      expiredTitle: 'This link no longer works',
      expired: 'Links work once and for a short time. You can ask for the change again in your account.',
      way: 'To my account',
    },
    undo: {
      title: 'Take back your former address',
      lead: 'Your account will use the address that this link was mailed to. Everyone is signed out, and we mail you a link to choose a new password.',
      submit: 'Undo the change',
      done: 'Your e-mail address is restored and everyone is signed out. We mail you a link to choose a new password.',
      expiredTitle: 'This link no longer works',
      expired:
        'A change can be undone once, for 72 hours. If somebody else uses your account, ask the people who run this service.',
      way: 'To sign-in',
    },
  },
  mails: {
    confirm: {
      subject: (serviceName: string) => `Confirm your new email address for ${serviceName}`,
      preheader: 'One click and your account uses this address.',
      body: (serviceName: string) =>
        `You asked to use this address for your account at ${serviceName}. Confirm that it is yours:`,
      action: 'Confirm this address',
      notYou: 'If you did not ask for this, ignore this mail: nothing changes until the link is used.',
      footer: 'You receive this mail because someone asked to use this address for an account.',
    },
    requested: {
      subject: (serviceName: string) => `A new email address was requested at ${serviceName}`,
      preheader: 'Nothing has changed yet.',
      body: (serviceName: string, moment: string) =>
        `Someone who is signed in to your account at ${serviceName} asked on ${moment} to change its email address. Nothing changes until the link that we sent to the new address is used.`,
      wasYou:
        'If this was you, there is nothing to do. If it wasn’t, choose a new password now: that signs everyone out and cancels the request.',
      action: 'Choose a new password',
      footer: 'You receive this mail because it concerns the safety of your account.',
    },
    notice: {
      subject: (serviceName: string) => `Your email address at ${serviceName} was changed`,
      preheader: 'If it was you, there is nothing to do.',
      body: (serviceName: string) => `The email address of your account at ${serviceName} was changed.`,
      newAddress: 'New address',
      wasYou:
        'If it was you, there is nothing to do. If it was not you, undo it: this address is restored, everyone is signed out, and you are mailed a link to set a new password.',
      action: 'Undo the change',
      footer: 'You receive this mail because it concerns the safety of your account.',
    },
    addressInUse: {
      subject: (serviceName: string) => `Your address is already in use at ${serviceName}`,
      preheader: 'Someone tried to use your address for another account. Nothing was changed.',
      body: (serviceName: string) =>
        `Someone, maybe you, tried to use this address for another account at ${serviceName}. It already belongs to your account, so nothing was changed.`,
      notYou: 'There is nothing to do.',
      footer: 'You receive this mail because someone entered the address of your account.',
    },
    restored: {
      subject: (serviceName: string) => `Your email address at ${serviceName} was restored`,
      preheader: 'Set a new password now.',
      body: (serviceName: string) =>
        `The change was undone: your account at ${serviceName} uses this address again, and everyone has been signed out. Whoever changed it may know your password, so choose a new one now:`,
      action: 'Choose a new password',
      footer: 'You receive this mail because it concerns the safety of your account.',
    },
  },
} as const

/** The type of these texts. */
export type EmailChangeWords = Translation<typeof en>
