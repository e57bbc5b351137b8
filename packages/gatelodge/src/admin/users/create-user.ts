import { grantRole } from '../../domain/administrators.ts'
import { record } from '../../domain/audit.ts'
import type { Deps } from '../../domain/deps.ts'
import { type Email, parseEmail } from '../../domain/identifiers/email.ts'
import { isPlainText } from '../../domain/identifiers/text.ts'
import { parseUsername, type Username } from '../../domain/identifiers/username.ts'
import { type GivenNames, readNames } from '../../domain/names.ts'
import { requestMail } from '../../domain/outbox.ts'
import { hashKey } from '../../domain/passwords/hash-key.ts'
import { assertPasswordAllowed } from '../../domain/passwords/policy.ts'
import { lockUser, updateUser } from '../../domain/user-rows.ts'
import { createUser, findUserByEmail, loadUser, type User } from '../../domain/users.ts'
import type { Actor } from '../../kernel/actor.ts'
import { AuthError, invalidField } from '../../kernel/errors.ts'
import type { UserRow } from '../../store/schema.ts'
import { transact, type Work } from '../../store/unit-of-work.ts'

export interface NewAccount extends GivenNames {
  readonly email: string
  readonly username?: string | undefined
  /** If absent, an invitation is mailed to the user, who then chooses one. */
  readonly password?: string | undefined
  /** Whether the password is an initial one, which the user must replace at the first sign-in. */
  readonly mustChangePassword?: boolean | undefined
}

interface Person {
  readonly email: Email
  readonly username: Username | null
  readonly firstName: string
  readonly lastName: string
}

/**
 * Creates an account with an unverified address. Mails a verification link if a password is given, otherwise a link to set one, which also verifies the
 * address. @throws input_invalid, email_taken, username_taken, overloaded
 */
export async function createAccount(deps: Deps, actor: Actor, input: NewAccount): Promise<User> {
  const person = readPerson(deps, input)
  if (person.username === null && deps.config.username === 'required') {
    throw invalidField('username', 'required', 'This field is required')
  }
  const mustChangePassword = input.mustChangePassword ?? false
  const passwordHash = input.password === undefined ? null : await hashAllowed(deps, actor, person, input.password)

  return transact(deps, actor, async (work) => {
    const account = { ...person, passwordHash, emailVerifiedAt: null, isStaff: false }
    const row = await createUser(work, {
      ...account,
      mustChangePassword,
      maySignInUnverified: mustChangePassword,
      by: 'administrator',
    })
    if (passwordHash === null) await requestMail(work, 'invitation', { userId: row.id })
    else await requestMail(work, 'verification', { email: row.email, signupId: null })
    return loadUser(work.db, row)
  })
}

/**
 * Creates an administrator with a verified address, or promotes the account that has the address, without changing its password.
 * @throws input_invalid (a new account without a password), account_inactive, email_unverified, email_taken, overloaded
 */
export async function createAdministrator(
  deps: Deps,
  actor: Actor,
  input: { email: string; password?: string | undefined },
): Promise<{ user: User; isNew: boolean }> {
  const person = readPerson(deps, input)
  const known = await findUserByEmail(deps.store.db, person.email)
  const passwordHash = known ? null : await hashAllowed(deps, actor, person, required(input.password))

  const user = await transact(deps, actor, async (work) => {
    const account = { ...person, passwordHash, emailVerifiedAt: work.now, isStaff: true }
    const row = known
      ? await lockPromotable(work, person.email)
      : await createUser(work, { ...account, by: 'administrator' })
    return promote(work, row)
  })
  return { user, isNew: known === undefined }
}

/** @throws input_invalid */
function readPerson(deps: Deps, input: NewAccount): Person {
  const email = parseEmail('email', input.email)
  const { firstName = '', lastName = '' } = readNames(input)
  assertName('first_name', firstName)
  assertName('last_name', lastName)
  if (input.username === undefined) return { email, username: null, firstName, lastName }

  if (deps.config.username === 'off') throw invalidField('username', 'unknown', 'Usernames are disabled on this server')
  return { email, username: parseUsername('username', input.username), firstName, lastName }
}

function assertName(field: string, text: string): void {
  if (text.length > 150) throw invalidField(field, 'too_long', 'Use at most 150 characters')
  if (!isPlainText(text)) throw invalidField(field, 'characters', 'Control and invisible characters are not allowed')
}

function required(password: string | undefined): string {
  if (password === undefined) throw invalidField('password', 'required', 'A new account needs a password')
  return password
}

async function hashAllowed(deps: Deps, actor: Actor, person: Person, password: string): Promise<string> {
  const { passwordMinLength, serviceName } = deps.config
  assertPasswordAllowed('password', password, passwordMinLength, { ...person, serviceName })
  return deps.hasher.hash(password, hashKey(actor))
}

async function lockPromotable(work: Work, email: Email): Promise<UserRow> {
  const found = await findUserByEmail(work.db, email)
  const row = found && (await lockUser(work, found.id))
  if (row?.email !== email) throw new AuthError('user_not_found') // deleted in the meantime, or the address changed
  if (row.is_active === 0)
    throw new AuthError('account_inactive', { detail: 'The account is inactive: activate it first' })
  // In `instant` mode an attacker can sign up with another person's address and wait for that address to be made an administrator.
  if (row.email_verified_at === null && row.may_sign_in_unverified === 1) {
    throw new AuthError('email_unverified', {
      detail:
        'This account was created by a sign-up that never verified the email address. Have the owner of the address confirm the mailed link, or delete the account first',
    })
  }
  return row
}

async function promote(work: Work, row: UserRow): Promise<User> {
  const columns = { is_staff: 1, email_verified_at: row.email_verified_at ?? work.now } as const
  await updateUser(work, row.id, columns)
  if (await grantRole(work, row.id, 'administrator')) await record(work, 'user.promoted', row.id, {})

  return loadUser(work.db, { ...row, ...columns })
}
