import type { Instant } from '../kernel/clock.ts'
import { AuthError, undefinedOn } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import { type UserId, uuidv7 } from '../kernel/ids.ts'
import { type Language, languageOf } from '../kernel/languages.ts'
import type { ProfileRow, Role, UserRow } from '../store/schema.ts'
import type { ReadDb } from '../store/store.ts'
import type { Work } from '../store/unit-of-work.ts'
import { record } from './audit.ts'
import { findReservation, removeReservations } from './email-reservations.ts'
import { lockSignupsOf, voidSignupsOf } from './pending-signups.ts'
import { insertUser, proved, updateUser } from './user-rows.ts'
import { claimUsername, takeUsername } from './usernames.ts'

/** An account as its user and administrators see it; never a hash or a credential. */
export interface User {
  readonly id: UserId
  readonly email: string
  readonly emailVerified: boolean
  readonly username: string | null
  readonly firstName: string
  readonly lastName: string
  /** First and last name, otherwise the username, otherwise empty. */
  readonly fullname: string
  readonly avatarUrl: string | null
  readonly isActive: boolean
  /** Since then only the link of a recovery email opens the account. */
  readonly recoverySince: Instant | null
  readonly isStaff: boolean
  readonly roles: readonly Role[]
  readonly createdAt: Instant
  readonly lastLoginAt: Instant | null
  readonly profile: Profile
}

export interface Profile {
  readonly phoneNumber: string | null
  readonly website: string | null
  readonly githubLink: string | null
  /** `YYYY-MM-DD` */
  readonly birthDate: string | null
  readonly locale: string | null
}

export interface NewUser {
  readonly email: string
  readonly emailVerifiedAt: Instant | null
  readonly username: string | null
  readonly firstName: string
  readonly lastName: string
  readonly passwordHash: string | null
  readonly signupBrowserHash?: string
  /** Whether the account may sign in before its address is proved. */
  readonly maySignInUnverified?: boolean
  /** Whether the password must be replaced at the first sign-in. */
  readonly mustChangePassword?: boolean
  /** Set for a confirmed sign-up: when it would have expired. If another account has taken its name by now, the account has none. */
  readonly signupExpiresAt?: Instant
  readonly isStaff?: boolean
  readonly locale?: string | null
  readonly by: Events['user.created']['by']
}

/** Returns the account with this id. */
export async function findUser(db: ReadDb, id: UserId): Promise<UserRow | undefined> {
  return db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst()
}

/** Returns the account of a signed-in user. @throws token_invalid if it is gone */
export async function getUser(db: ReadDb, id: UserId): Promise<UserRow> {
  const user = await findUser(db, id)
  if (!user) throw new AuthError('token_invalid')
  return user
}

/** Returns the account with this canonical address. */
export async function findUserByEmail(db: ReadDb, email: string): Promise<UserRow | undefined> {
  return db.selectFrom('users').selectAll().where('email', '=', email).executeTakeFirst()
}

/** Returns the account with this case-folded username. */
export async function findUserByUsername(db: ReadDb, username: string): Promise<UserRow | undefined> {
  return db.selectFrom('users').selectAll().where('username', '=', username).executeTakeFirst()
}

/** Returns whether an account has this address, or reserves it for an undo. */
export async function isEmailKnown(db: ReadDb, email: string, now: Instant): Promise<boolean> {
  return (await findEmailOwner(db, email, now)) !== undefined
}

/** Returns the account that has this address, or reserves it for an undo. */
export async function findEmailOwner(db: ReadDb, email: string, now: Instant): Promise<UserRow | undefined> {
  const user = await findUserByEmail(db, email)
  if (user) return user

  const reserved = await findReservation(db, email, now)
  return reserved && findUser(db, reserved.userId)
}

/**
 * Creates an account with its profile and username, and invalidates every pending sign-up of its address.
 * @throws email_taken (also for an address that is reserved for an undo), username_taken
 */
export async function createUser(work: Work, user: NewUser): Promise<UserRow> {
  await lockSignupsOf(work, user.email)
  const row = await insertUser(
    work,
    {
      id: uuidv7(work.clock, work.random) as UserId,
      email: user.email,
      email_verified_at: user.emailVerifiedAt,
      first_name: user.firstName,
      last_name: user.lastName,
      password_hash: user.passwordHash,
      password_changed_at: user.passwordHash === null ? null : work.now,
      is_active: 1,
      is_staff: user.isStaff ? 1 : 0,
      signup_browser_hash: user.signupBrowserHash ?? null,
      may_sign_in_unverified: user.maySignInUnverified ? 1 : 0,
      must_change_password: user.mustChangePassword ? 1 : 0,
    },
    user.locale ?? null,
  )
  // An account that moves away from the address at the same time reserves it. On PostgreSQL the insert waited for that, so check afterwards.
  if (await findReservation(work.db, row.email, work.now)) throw new AuthError('email_taken')

  const username = await nameOf(work, row, user)
  await voidSignupsOf(work, row.email)
  await record(work, 'user.created', row.id, { by: user.by })
  return { ...row, username }
}

async function nameOf(work: Work, row: UserRow, { username, signupExpiresAt }: NewUser): Promise<string | null> {
  if (username === null) return null
  if (signupExpiresAt !== undefined) {
    const reservation = { username, email: row.email, expiresAt: signupExpiresAt }
    return (await claimUsername(work, row.id, reservation)) ? username : null
  }

  await takeUsername(work, row.id, username)
  return username
}

/**
 * Changes an account's address to one that a link was emailed to, so it is proved. Its reservation and its pending sign-ups end.
 * @throws token_invalid if another account got the address at the same time
 */
export async function moveToEmail(work: Work, userId: UserId, email: string): Promise<void> {
  const columns = { email, ...proved(work.now) }
  const moved = await undefinedOn('email_taken', () => updateUser(work, userId, columns))
  if (!moved) throw new AuthError('token_invalid')
  await removeReservations(work, [email])
  await voidSignupsOf(work, email)
}

/** Returns the account with profile and roles, as callers see it. @throws token_invalid if it has been deleted */
export async function loadUser(db: ReadDb, row: UserRow): Promise<User> {
  const user = await findWholeUser(db, row)
  if (!user) throw new AuthError('token_invalid')
  return user
}

/** Returns the account with profile and roles, or undefined if it was deleted after `row` was read. */
export async function findWholeUser(db: ReadDb, row: UserRow): Promise<User | undefined> {
  const [user] = await findWholeUsers(db, [row])
  return user
}

/** Returns the same for many accounts, in order and in one statement. Accounts deleted in the meantime are omitted. */
export async function findWholeUsers(db: ReadDb, rows: readonly UserRow[]): Promise<User[]> {
  if (rows.length === 0) return []

  const ids = rows.map(({ id }) => id)
  const parts = await db
    .selectFrom('profiles')
    .leftJoin('user_roles', 'user_roles.user_id', 'profiles.user_id')
    .selectAll('profiles')
    .select('user_roles.role')
    .where('profiles.user_id', 'in', ids)
    .orderBy('user_roles.role')
    .execute()
  const partsOf = Map.groupBy(parts, ({ user_id }) => user_id)
  return rows.flatMap((row) => {
    const own = partsOf.get(row.id) ?? []
    const [profile] = own
    const roles = own.some(({ role }) => role) ? own.flatMap(({ role }) => role ?? []) : none
    return profile ? toUser(row, profile, roles) : []
  })
}

/** The roles of most accounts, shared. */
const none: readonly Role[] = []

/** Returns the language of an account's profile, if it is supported. */
export async function findLanguage(db: ReadDb, id: UserId): Promise<Language | undefined> {
  const profile = await db.selectFrom('profiles').select('locale').where('user_id', '=', id).executeTakeFirst()
  return languageOf(profile?.locale)
}

/** Returns the name to greet a user by in emails: the first name, otherwise an empty string. */
export function greetingName(user: UserRow): string {
  return user.first_name
}

/** Combines rows into what callers see. */
export function toUser(row: UserRow, profile: ProfileRow, roles: readonly Role[]): User {
  return {
    id: row.id,
    email: row.email,
    emailVerified: row.email_verified_at !== null,
    username: row.username,
    firstName: row.first_name,
    lastName: row.last_name,
    fullname: [row.first_name, row.last_name].filter(Boolean).join(' ') || (row.username ?? ''),
    avatarUrl: row.avatar_url,
    isActive: row.is_active === 1,
    recoverySince: row.recovery_since,
    isStaff: row.is_staff === 1,
    roles,
    createdAt: row.created_at,
    lastLoginAt: row.last_login_at,
    profile: {
      phoneNumber: profile.phone_number,
      website: profile.website,
      githubLink: profile.github_link,
      birthDate: profile.birth_date,
      locale: profile.locale,
    },
  }
}
