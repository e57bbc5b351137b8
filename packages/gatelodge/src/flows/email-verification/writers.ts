import type { Deps } from '../../domain/deps.ts'
import { linkTo } from '../../domain/links.ts'
import { issueLink } from '../../domain/mailed-links.ts'
import { type AddressedMail, type MailWriter, mailContext } from '../../domain/outbox.ts'
import { findNewestPendingSignup, findPendingSignup } from '../../domain/pending-signups.ts'
import { findEmailOwner, findLanguage, findUser, greetingName } from '../../domain/users.ts'
import { type Language, languageOf } from '../../kernel/languages.ts'
import type { PendingSignupRow, UserRow } from '../../store/schema.ts'
import type { Work } from '../../store/unit-of-work.ts'
import { accountExistsMail, verificationMail, welcomeMail } from './mail.ts'

/** Writes the link of a sign-up, or a notice to the owner of an account that has its address or reserves it for an undo. */
export const writeSignUpMail: MailWriter<'signup'> = async (deps, work, { email, signupId, language }) => {
  const owner = await findEmailOwner(work.db, email, work.now)
  if (owner) return owner.is_active === 1 ? accountExists(deps, work, owner, language) : null

  const pending = await findPendingSignup(work.db, signupId, email, work.now)
  return pending ? verifySignUp(deps, work, pending, language) : null
}

/** Writes a new link for an address that awaits its proof. */
export const writeVerificationMail: MailWriter<'verification'> = async (deps, work, { email, signupId, language }) => {
  const owner = await findEmailOwner(work.db, email, work.now)
  if (owner) {
    const waits = owner.email === email && owner.is_active === 1 && owner.email_verified_at === null
    return waits ? verifyAccount(deps, work, owner, language) : null
  }

  const own = signupId === null ? undefined : await findPendingSignup(work.db, signupId, email, work.now)
  const pending = own ?? (await findNewestPendingSignup(work.db, email, work.now))
  return pending ? verifySignUp(deps, work, pending, language) : null
}

/** Writes the welcome email of a new account. */
export const writeWelcomeMail: MailWriter<'welcome'> = async (deps, work, { userId, language }) => {
  const user = await findUser(work.db, userId)
  if (user?.is_active !== 1) return null

  const signInLink = linkTo(deps.config, '/login')
  const context = mailContext(deps.config, (await findLanguage(work.db, userId)) ?? language)
  return { to: user.email, mail: welcomeMail(context, { name: greetingName(user), signInLink }) }
}

async function accountExists(deps: Deps, work: Work, owner: UserRow, asked: Language | null): Promise<AddressedMail> {
  const context = mailContext(deps.config, (await findLanguage(work.db, owner.id)) ?? asked)
  const mail = accountExistsMail(context, {
    name: greetingName(owner),
    signInLink: linkTo(deps.config, '/login'),
    resetLink: linkTo(deps.config, '/forgot-password'),
  })
  return { to: owner.email, mail }
}

async function verifySignUp(
  deps: Deps,
  work: Work,
  pending: PendingSignupRow,
  asked: Language | null,
): Promise<AddressedMail> {
  const { id, email, first_name: name } = pending
  const ttl = Math.min(pending.expires_at - work.now, deps.config.verifyTtl)
  const token = { purpose: 'verify_signup', owner: { signupId: id }, email, ttl } as const
  const link = await issueLink(deps, work, '/verify-email', token)
  const context = mailContext(deps.config, languageOf(pending.language) ?? asked)
  return { to: email, mail: verificationMail(context, { name, ...link }) }
}

async function verifyAccount(deps: Deps, work: Work, user: UserRow, asked: Language | null): Promise<AddressedMail> {
  const { id, email } = user
  const token = { purpose: 'verify_email', owner: { userId: id }, email, ttl: deps.config.verifyTtl } as const
  const link = await issueLink(deps, work, '/verify-email', token)
  const context = mailContext(deps.config, (await findLanguage(work.db, id)) ?? asked)
  return { to: email, mail: verificationMail(context, { name: greetingName(user), ...link }) }
}
