import { linkTo } from '../../domain/links.ts'
import { issueLink } from '../../domain/mailed-links.ts'
import { type MailWriter, mailContext } from '../../domain/outbox.ts'
import { findNewestPendingSignup } from '../../domain/pending-signups.ts'
import { issueRecoveryLink } from '../../domain/recovery.ts'
import { findEmailOwner, findLanguage, findUser, greetingName } from '../../domain/users.ts'
import { day } from '../../kernel/clock.ts'
import { languageOf } from '../../kernel/languages.ts'
import { invitationMail, passwordDisabledMail, registerFirstMail, resetMail } from './mail.ts'

/** Writes the link to a new password. An address that has only pending sign-ups is told how to get an account. */
export const writePasswordResetMail: MailWriter<'password_reset'> = async (deps, work, request) => {
  const { email, language, onlyAccount } = request
  const owner = await findEmailOwner(work.db, email, work.now)
  if (!owner) {
    if (onlyAccount) return null

    const pending = await findNewestPendingSignup(work.db, email, work.now)
    if (!pending) return null

    const context = mailContext(deps.config, languageOf(pending.language) ?? language)
    return { to: email, mail: registerFirstMail(context, { registerLink: linkTo(deps.config, '/register') }) }
  }
  // The reader of a reserved address's email has its undo link, and only that link recovers the account.
  if (owner.email !== email || owner.is_active !== 1) return null

  const token = { purpose: 'password_reset', owner: { userId: owner.id }, email, ttl: deps.config.resetTtl } as const
  const link =
    owner.recovery_since === null
      ? await issueLink(deps, work, '/reset-password', token)
      : await issueRecoveryLink(deps, work, owner)
  const context = mailContext(deps.config, (await findLanguage(work.db, owner.id)) ?? language)
  return { to: email, mail: resetMail(context, { name: greetingName(owner), ...link }) }
}

/** How long an invitation can be accepted, in ms. Long, because people are away; `/forgot-password` sends a new link. */
export const invitationTtl = 7 * day

/** Writes the link with which an invited user chooses a password, unless another link has already been used. */
export const writeInvitationMail: MailWriter<'invitation'> = async (deps, work, { userId, language }) => {
  const user = await findUser(work.db, userId)
  if (user?.is_active !== 1 || user.password_hash !== null) return null

  const { id, email } = user
  const token = { purpose: 'password_reset', owner: { userId: id }, email, ttl: invitationTtl } as const
  const link = await issueLink(deps, work, '/reset-password', token)
  const context = mailContext(deps.config, (await findLanguage(work.db, id)) ?? language)
  return { to: email, mail: invitationMail(context, { name: greetingName(user), ...link }) }
}

/** Tells an owner where the password was disabled, and how to choose a new one. */
export const writePasswordDisabledMail: MailWriter<'password_disabled'> = async (deps, work, request) => {
  const { userId, for: claimant = 'stranger' } = request
  const user = await findUser(work.db, userId)
  if (user?.is_active !== 1) return null

  const resetLink = linkTo(deps.config, '/forgot-password')
  const context = mailContext(deps.config, await findLanguage(work.db, user.id))
  const where = claimant === 'stranger' ? 'newDevices' : 'oneDevice'
  return { to: user.email, mail: passwordDisabledMail(context, { name: greetingName(user), resetLink, where }) }
}
