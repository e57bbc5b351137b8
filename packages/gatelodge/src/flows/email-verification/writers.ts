import type { Deps } from '../../domain/deps.ts'
import { linkTo } from '../../domain/links.ts'
import { issueLink } from '../../domain/mailed-links.ts'
import { type AddressedMail, type MailWriter, mailContext } from '../../domain/outbox.ts'
import { findNewestPendingSignup, findPendingSignup } from '../../domain/pending-signups.ts'
import { findEmailOwner, findUser, greetingName } from '../../domain/users.ts'
import type { PendingSignupRow, UserRow } from '../../store/schema.ts'
import type { Work } from '../../store/unit-of-work.ts'
import { accountExistsMail, verificationMail, welcomeMail } from './mail.ts'

/** The link of a sign-up, or a notice to the owner of an account that has its address or keeps it for an undo. */
export const writeSignUpMail: MailWriter<'signup'> = async (deps, work, { email, signupId }) => {
  const owner = await findEmailOwner(work.db, email, work.now)
  if (owner) return owner.is_active === 1 ? accountExists(deps, owner) : null

  const pending = await findPendingSignup(work.db, signupId, email, work.now)
  return pending ? verifySignUp(deps, work, pending) : null
}

/** A fresh link for an address that waits for its proof. */
export const writeVerificationMail: MailWriter<'verification'> = async (deps, work, { email, signupId }) => {
  const owner = await findEmailOwner(work.db, email, work.now)
  if (owner) {
    const waits = owner.email === email && owner.is_active === 1 && owner.email_verified_at === null
    return waits ? verifyAccount(deps, work, owner) : null
  }

  const own = signupId === null ? undefined : await findPendingSignup(work.db, signupId, email, work.now)
  const pending = own ?? (await findNewestPendingSignup(work.db, email, work.now))
  return pending ? verifySignUp(deps, work, pending) : null
}

/** The greeting of a new account. */
export const writeWelcomeMail: MailWriter<'welcome'> = async (deps, work, { userId }) => {
  const user = await findUser(work.db, userId)
  if (user?.is_active !== 1) return null

  const signInLink = linkTo(deps.config, '/login')
  return { to: user.email, mail: welcomeMail(mailContext(deps.config), { name: greetingName(user), signInLink }) }
}

function accountExists(deps: Deps, owner: UserRow): AddressedMail {
  const mail = accountExistsMail(mailContext(deps.config), {
    name: greetingName(owner),
    signInLink: linkTo(deps.config, '/login'),
    resetLink: linkTo(deps.config, '/forgot-password'),
  })
  return { to: owner.email, mail }
}

async function verifySignUp(deps: Deps, work: Work, pending: PendingSignupRow): Promise<AddressedMail> {
  const { id, email, first_name: name } = pending
  const ttl = Math.min(pending.expires_at - work.now, deps.config.verifyTtl)
  const token = { purpose: 'verify_signup', owner: { signupId: id }, email, ttl } as const
  const link = await issueLink(deps, work, '/verify-email', token)
  return { to: email, mail: verificationMail(mailContext(deps.config), { name, ...link }) }
}

async function verifyAccount(deps: Deps, work: Work, user: UserRow): Promise<AddressedMail> {
  const { id, email } = user
  const token = { purpose: 'verify_email', owner: { userId: id }, email, ttl: deps.config.verifyTtl } as const
  const link = await issueLink(deps, work, '/verify-email', token)
  return { to: email, mail: verificationMail(mailContext(deps.config), { name: greetingName(user), ...link }) }
}
