import { linkTo } from '../../domain/links.ts'
import type { MailWriter } from '../../domain/outbox.ts'
import { writeSecurityNotice } from '../../domain/security-notices.ts'
import { apiTokenCreatedMail } from './mail.ts'

/** Writes the notice that an API token was created, with the link that undoes it. */
export const writeApiTokenCreatedMail: MailWriter<'api_token_created'> = (deps, work, request) =>
  writeSecurityNotice(deps, work, request, (context, notice) => {
    const { at, expiresAt } = request
    return apiTokenCreatedMail(context, {
      ...notice,
      at,
      expiresAt,
      tokensLink: linkTo(deps.config, '/account/tokens'),
    })
  })
