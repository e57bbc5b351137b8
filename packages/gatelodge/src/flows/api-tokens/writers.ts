import { linkTo } from '../../domain/links.ts'
import { type MailWriter, mailContext } from '../../domain/outbox.ts'
import { issueUndoLink } from '../../domain/recovery.ts'
import { findLanguage, findUser, greetingName } from '../../domain/users.ts'
import { apiTokenCreatedMail } from './mail.ts'

/** Tells an owner that an API token was created, with the way back. */
export const writeApiTokenCreatedMail: MailWriter<'api_token_created'> = async (
  deps,
  work,
  { userId, at, expiresAt },
) => {
  const user = await findUser(work.db, userId)
  if (user?.is_active !== 1) return null

  const undo = await issueUndoLink(deps, work, user, at)
  const context = mailContext(deps.config, await findLanguage(work.db, user.id))
  const mail = apiTokenCreatedMail(context, {
    name: greetingName(user),
    at,
    expiresAt,
    tokensLink: linkTo(deps.config, '/account/tokens'),
    undo,
  })
  return { to: user.email, mail }
}
