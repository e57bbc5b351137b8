import { type MailWriter, mailContext } from '../../domain/outbox.ts'
import { issueRecoveryLink } from '../../domain/recovery.ts'
import { findLanguage, findUser, greetingName } from '../../domain/users.ts'
import { recoveryStartedMail } from './mail.ts'

/** Writes the link to a new password for the owner of an account in recovery, unless it has been opened in the meantime. */
export const writeRecoveryStartedMail: MailWriter<'recovery_started'> = async (deps, work, { userId, language }) => {
  const user = await findUser(work.db, userId)
  if (user?.is_active !== 1 || user.recovery_since === null) return null

  const link = await issueRecoveryLink(deps, work, user)
  const context = mailContext(deps.config, (await findLanguage(work.db, userId)) ?? language)
  return { to: user.email, mail: recoveryStartedMail(context, { name: greetingName(user), ...link }) }
}
