import type { FaultCode } from '../../kernel/errors.ts'
import type { Translation } from '../../kernel/languages.ts'

/** The English texts that pages and emails share. */
export const en = {
  layout: {
    skip: 'Skip to content',
    language: 'Language',
    signedInAs: 'Signed in as',
    account: 'Account',
    signIn: 'Sign in',
    signOut: 'Sign out',
    terms: 'Terms',
    privacy: 'Privacy',
    readFirst: 'Before you sign up, please read:',
  },
  form: {
    summary: 'Please check your entries',
    optional: 'optional',
    show: 'Show',
    hide: 'Hide',
    showPassword: 'Show password',
    hidePassword: 'Hide password',
    strength: { weak: 'Easy to guess', fair: 'Could be longer', good: 'Good', strong: 'Strong' },
  },
  /** The frame of the account pages. */
  account: {
    ways: 'Pages of your account',
    account: 'Account',
    sessions: 'Sessions',
    tokens: 'API tokens',
    data: 'Your data',
    unknownDevice: 'Unknown device',
  },
  problems: {
    not_found: {
      title: 'Page not found',
      text: 'There is nothing at this address. The link may be old or incomplete.',
      way: 'To the start page',
    },
    cross_site: {
      title: 'Request refused',
      foreign:
        'Nothing was changed: the request did not come from a page of this site, or your browser did not say where it came from.',
      otherSession: (email: string) =>
        `Nothing was changed: you are now signed in as ${email}, perhaps through another tab. If that is what you want, please try again.`,
      noCookies:
        'Nothing was changed: your browser did not send this site’s cookies. Please allow cookies for this site, then try again.',
      outdated: 'This page was open too long. Please send the form again.',
      way: 'To the start page',
    },
    rate_limited: {
      title: 'Too many attempts',
      text: (wait: string) => `Please wait ${wait}, then try again.`,
      way: 'Try again',
    },
    unavailable: {
      title: 'Not available right now',
      text: 'The service cannot do this at the moment. Nothing is lost; try again in a little while.',
      way: 'Try again',
    },
    other: {
      title: 'This did not work',
      text: 'Something went wrong on our side. It has been noted; please try again.',
      way: 'To the start page',
    },
  },
  /** What may be wrong with a field, by fault code. */
  faults: {
    required: 'Fill in this field',
    reused: 'Choose a different password',
    invalid: 'Check this entry',
    invalid_type: 'Check this entry',
    invalid_format: 'Check this entry',
    invalid_value: 'Check this entry',
    invalid_encoding: 'Check this entry',
    invalid_json: 'Check this entry',
    malformed: 'Check this entry',
    incomplete: 'This did not arrive whole; send it again',
    duplicate: 'This was given twice',
    too_short: 'This is too short',
    too_long: 'This is too long',
    too_many: 'These are too many',
    too_slow: 'This took too long to arrive; send it again',
    characters: 'Use visible characters only',
    mismatch: 'The two passwords differ',
    email_invalid: 'Enter a valid e-mail address',
    too_common: 'This password is among the most common ones; choose another',
    contains_identity: 'The password must not be your name, your address or the name of this service',
    username_taken: 'This username is taken',
    incorrect_password: 'The password is wrong',
    unchanged: 'This is your address already',
    conflict: 'Give either the full name or its parts',
    unknown: 'This cannot be set here',
  } satisfies Readonly<Record<FaultCode | 'username_taken' | 'incorrect_password', string>>,
  /** The frame of every email. */
  mail: {
    greeting: (name: string) => `Hello ${name},`,
    neutralGreeting: 'Hello,',
    rawLink: 'If the button does not work, copy this link into your browser:',
    expiry: (duration: string, moment: string) => `This link works once and expires in ${duration}, on ${moment}.`,
    sentBy: (serviceName: string, publicUrl: string) => `Sent by ${serviceName}, ${publicUrl}`,
    undo: {
      wasYou:
        'If this was you, there is nothing to do. If it wasn’t, press the button: everyone is signed out, your password stops working, what was added since is removed, and we email you a link to choose a new password.',
      action: 'This wasn’t me',
    },
  },
  trialMail: {
    subject: (serviceName: string) => `Test mail from ${serviceName}`,
    preheader: 'Sending mail works.',
    body: (serviceName: string) => `If you can read this, ${serviceName} can send mail.`,
    sentAt: (moment: string) => `It was sent on ${moment}.`,
    footer: 'You receive this mail because an administrator tested the mail settings.',
  },
} as const

/** The type of the texts that pages and emails share. */
export type PageWords = Translation<typeof en>
