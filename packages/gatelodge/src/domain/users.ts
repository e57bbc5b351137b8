import type { Instant } from '../kernel/clock.ts'
import { AuthError, undefinedOn } from '../kernel/errors.ts'
import type { Events } from '../kernel/events.ts'
import { type UserId, uuidv7 } from '../kernel/ids.ts'
import { type Language, languageOf } from '../kernel/languages.ts'
import type { ProfileRow, Role, UserRow } from '../store/schema.ts'
import type { ReadDb } from '../store/store.ts'
import type { Work } from '../store/unit-of-work.ts'
import { record } from './audit.ts'
import { lockSignupsOf } from './pending-signups.ts'
import { claimUsername, takeUsername } from './usernames.ts'

/** An account as its holder and administrators see it: never a hash, never a credential. */
export interface User {
  readonly id: UserId
  readonly email: string
  readonly emailVerified: boolean
  readonly username: string | null
  readonly firstName: string
  readonly lastName: string
  /** First and last name, else the username, else empty. */
  readonly fullname: string
  readonly avatarUrl: string | null
  readonly isActive: boolean
  /** Since then the account opens by the link of a recovery mail alone. */
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
  /** Of a sign-up that was confirmed: when it would have expired. Its name may be another's by now; the account has none then. */
  readonly signupExpiresAt?: Instant
  readonly isStaff?: boolean
  readonly locale?: string | null
  readonly by: Events['user.created']['by']
}

/** The account with this id. */
export async function findUser(db: ReadDb, id: UserId): Promise<UserRow | undefined> {
  return db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst()
}

/** The account of somebody signed in. @throws token_invalid when it is gone */
export async function getUser(db: ReadDb, id: UserId): Promise<UserRow> {
  const user = await findUser(db, id)
  if (!user) throw new AuthError('token_invalid')
  return user
}

/**
 * The account as it is now, held until the unit of work ends: whoever ends sessions or changes the password meanwhile waits, and is seen by the next.
 */
export async function lockUser(work: Work, id: UserId): Promise<UserRow | undefined> {
  work.changed([]) // an update that changes nothing is the row lock that both engines have
  return work.db
    .updateTable('users')
    .set((eb) => ({ is_active: eb.ref('is_active') }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
}

/** The account with this canonical address. */
export async function findUserByEmail(db: ReadDb, email: string): Promise<UserRow | undefined> {
  return db.selectFrom('users').selectAll().where('email', '=', email).executeTakeFirst()
}

/** The account with this case-folded username. */
export async function findUserByUsername(db: ReadDb, username: string): Promise<UserRow | undefined> {
  return db.selectFrom('users').selectAll().where('username', '=', username).executeTakeFirst()
}

/** Whether an account has this address, or keeps it for an undo. */
export async function isEmailKnown(db: ReadDb, email: string, now: Instant): Promise<boolean> {
  return (await findEmailOwner(db, email, now)) !== undefined
}

/** The account that has this address, or keeps it for an undo. */
export async function findEmailOwner(db: ReadDb, email: string, now: Instant): Promise<UserRow | undefined> {
  const user = await findUserByEmail(db, email)
  if (user) return user

  const reserved = await findReservation(db, email, now)
  return reserved && findUser(db, reserved.userId)
}

/** Who keeps this address for an undo, and until when. */
export async function findReservation(
  db: ReadDb,
  email: string,
  now: Instant,
): Promise<{ userId: UserId; expiresAt: Instant } | undefined> {
  return db
    .selectFrom('email_reservations')
    .select(['user_id as userId', 'expires_at as expiresAt'])
    .where('email', '=', email)
    .where('expires_at', '>', now)
    .executeTakeFirst()
}

/**
 * Makes an account with its profile and username, and voids every pending sign-up of its address.
 * @throws email_taken (also for an address that is kept for an undo), username_taken
 */
export async function createUser(work: Work, user: NewUser): Promise<UserRow> {
  await lockSignupsOf(work, user.email)
  const row = await work.db
    .insertInto('users')
    .values({
      id: uuidv7(work.clock, work.random) as UserId,
      email: user.email,
      email_verified_at: user.emailVerifiedAt,
      username: null,
      first_name: user.firstName,
      last_name: user.lastName,
      password_hash: user.passwordHash,
      password_changed_at: user.passwordHash === null ? null : work.now,
      is_active: 1,
      is_staff: user.isStaff ? 1 : 0,
      avatar_url: null,
      signup_browser_hash: user.signupBrowserHash ?? null,
      created_at: work.now,
      last_login_at: null,
    })
    .onConflict((conflict) => conflict.column('email').doNothing())
    .returningAll()
    .executeTakeFirst()
  // An account that moves away from the address at the same time reserves it: on PostgreSQL the insert waited for that, so look afterwards.
  if (!row || (await findReservation(work.db, row.email, work.now))) throw new AuthError('email_taken')

  await work.db
    .insertInto('profiles')
    .values({
      user_id: row.id,
      phone_number: null,
      website: null,
      github_link: null,
      birth_date: null,
      locale: user.locale ?? null,
    })
    .execute()
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
 * Removes every pending sign-up of an address with its links: the address has an owner now. The names that are reserved for it stay so to their end: those
 * who see one free early would know of the account.
 */
export async function voidSignupsOf(work: Work, email: string): Promise<void> {
  await work.db.deleteFrom('pending_signups').where('email', '=', email).execute()
}

/**
 * Puts another address in place: a link was mailed there, so it is proved. Its reservation and its pending sign-ups end.
 * @throws token_invalid when another account got the address at the same time
 */
export async function moveToEmail(work: Work, userId: UserId, email: string): Promise<void> {
  const moved = work.db
    .updateTable('users')
    .set({ email, email_verified_at: work.now, signup_browser_hash: null })
    .where('id', '=', userId)
    .returning('id')
  if (!(await undefinedOn('email_taken', () => moved.executeTakeFirst()))) throw new AuthError('token_invalid')
  await work.db.deleteFrom('email_reservations').where('email', '=', email).execute()
  await voidSignupsOf(work, email)
  work.changed([userId])
}

/** The account with profile and roles, as callers see it. @throws token_invalid when it was deleted meanwhile */
export async function loadUser(db: ReadDb, row: UserRow): Promise<User> {
  const user = await findWholeUser(db, row)
  if (!user) throw new AuthError('token_invalid')
  return user
}

/** The account with profile and roles, or undefined when it was deleted after `row` was read. */
export async function findWholeUser(db: ReadDb, row: UserRow): Promise<User | undefined> {
  const [user] = await findWholeUsers(db, [row])
  return user
}

/** The same for many, in their order and by one statement; those that were deleted meanwhile are left out. */
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
    const roles = own.flatMap(({ role }) => role ?? [])
    return profile ? toUser(row, profile, roles) : []
  })
}

/** The language of an account's profile, if it is one of ours. */
export async function findLanguage(db: ReadDb, id: UserId): Promise<Language | undefined> {
  const profile = await db.selectFrom('profiles').select('locale').where('user_id', '=', id).executeTakeFirst()
  return languageOf(profile?.locale)
}

/** Name to greet a person by in mails: the first name, else nothing. */
export function greetingName(user: UserRow): string {
  return user.first_name
}

/** Puts rows together into what callers see. */
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
