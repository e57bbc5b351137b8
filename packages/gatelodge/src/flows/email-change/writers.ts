import { findReservation } from '../../domain/email-reservations.ts'
import { type Email, maskEmail } from '../../domain/identifiers/email.ts'
import { linkTo } from '../../domain/links.ts'
import { issueLink } from '../../domain/mailed-links.ts'
import { type MailWriter, mailContext } from '../../domain/outbox.ts'
import { issueRecoveryLink } from '../../domain/recovery.ts'
import { lockSession } from '../../domain/sessions.ts'
import { lockUser } from '../../domain/user-rows.ts'
import { findEmailOwner, findLanguage, findUser, greetingName } from '../../domain/users.ts'
import {
  addressInUseMail,
  confirmNewEmailMail,
  emailChangeNoticeMail,
  emailChangeRequestedMail,
  emailRestoredMail,
} from './mail.ts'

/**
 * Writes the link to a new address, or a notice to the owner of an account that has it. The request is void if the password has been changed since, or the
 * requesting session has ended.
 */
export const writeEmailChangeMail: MailWriter<'email_change'> = async (deps, work, request) => {
  const { userId, email } = request
  const user = await lockUser(work, userId) // waits for a password change under way, which voids the request
  if (user?.is_active !== 1 || user.email === email || user.password_changed_at !== request.passwordChangedAt)
    return null
  if (!(await lockSession(work, request.sessionId))) return null

  const owner = await findEmailOwner(work.db, email, work.now)
  if (owner && owner.id !== userId) {
    if (owner.is_active !== 1) return null

    const context = mailContext(deps.config, (await findLanguage(work.db, owner.id)) ?? request.language)
    return { to: owner.email, mail: addressInUseMail(context, { name: greetingName(owner) }) }
  }

  const token = {
    purpose: 'email_change',
    owner: { userId },
    email,
    ttl: deps.config.verifyTtl,
    sessionId: request.sessionId,
    since: request.at ?? 0,
  } as const
  const link = await issueLink(deps, work, '/change-email', token)
  const context = mailContext(deps.config, (await findLanguage(work.db, userId)) ?? request.language)
  return { to: email, mail: confirmNewEmailMail(context, { name: greetingName(user), ...link }) }
}

/** Notifies the current address that a change was requested. */
export const writeEmailChangeRequestedMail: MailWriter<'email_change_requested'> = async (
  deps,
  work,
  { userId, newEmail, at },
) => {
  const user = await findUser(work.db, userId)
  if (user?.is_active !== 1 || user.email === newEmail) return null // already changed: another email notifies the former address

  const context = mailContext(deps.config, await findLanguage(work.db, userId))
  const mail = emailChangeRequestedMail(context, {
    name: greetingName(user),
    maskedNewEmail: maskEmail(newEmail as Email), // it was requested, so it is canonical
    at,
    forgotLink: linkTo(deps.config, '/forgot-password'),
  })
  return { to: user.email, mail }
}

/** Notifies the former address of the change, with the link that undoes it. */
export const writeEmailChangedMail: MailWriter<'email_changed'> = async (deps, work, request) => {
  const { userId, formerEmail: email, newEmail, since = 0 } = request
  const user = await findUser(work.db, userId)
  const reservation = await findReservation(work.db, email, work.now)
  if (!user || reservation?.userId !== userId) return null // already undone, by the link of an earlier address

  const token = {
    purpose: 'email_change_undo',
    owner: { userId },
    email,
    ttl: reservation.expiresAt - work.now,
    since,
  } as const
  const { link: undoLink, ...life } = await issueLink(deps, work, '/change-email/undo', token)
  const maskedNewEmail = maskEmail(newEmail as Email) // it was stored, so it is canonical
  const context = mailContext(deps.config, await findLanguage(work.db, userId))
  const mail = emailChangeNoticeMail(context, {
    name: greetingName(user),
    maskedNewEmail,
    undoLink,
    ...life,
  })
  return { to: email, mail }
}

/** Notifies the restored address of the undo, with the link to choose a new password. */
export const writeEmailRestoredMail: MailWriter<'email_restored'> = async (deps, work, { userId, email, language }) => {
  const user = await findUser(work.db, userId)
  if (user?.is_active !== 1 || user.email !== email || user.recovery_since === null) return null

  const { link: resetLink, ...life } = await issueRecoveryLink(deps, work, user)
  const context = mailContext(deps.config, (await findLanguage(work.db, userId)) ?? language)
  return { to: email, mail: emailRestoredMail(context, { name: greetingName(user), resetLink, ...life }) }
}
