import { type MailWriters, mailContext } from '../domain/outbox.ts'
import { testMail } from '../pages/trial-mail.ts'
import { writeApiTokenCreatedMail } from './api-tokens/writers.ts'
import {
  writeEmailChangedMail,
  writeEmailChangeMail,
  writeEmailChangeRequestedMail,
  writeEmailRestoredMail,
} from './email-change/writers.ts'
import { writeSignUpMail, writeVerificationMail, writeWelcomeMail } from './email-verification/writers.ts'
import { writePasswordChangedMail } from './password-change/writers.ts'
import { writeInvitationMail, writePasswordDisabledMail, writePasswordResetMail } from './password-reset/writers.ts'
import { writeRecoveryStartedMail } from './recovery/writers.ts'
import { writeNewDeviceMail } from './sign-in/writers.ts'

/** The writer of each kind of email. */
export const mailWriters = {
  signup: writeSignUpMail,
  verification: writeVerificationMail,
  welcome: writeWelcomeMail,
  password_reset: writePasswordResetMail,
  invitation: writeInvitationMail,
  password_changed: writePasswordChangedMail,
  password_disabled: writePasswordDisabledMail,
  email_change: writeEmailChangeMail,
  email_change_requested: writeEmailChangeRequestedMail,
  email_changed: writeEmailChangedMail,
  email_restored: writeEmailRestoredMail,
  recovery_started: writeRecoveryStartedMail,
  new_device: writeNewDeviceMail,
  api_token_created: writeApiTokenCreatedMail,
  test: async (deps, work, { email, language }) => ({
    to: email,
    mail: testMail(mailContext(deps.config, language), { at: work.now }),
  }),
  message: async (_deps, _work, { email, subject, html, text }) => ({ to: email, mail: { subject, html, text } }),
} satisfies MailWriters
