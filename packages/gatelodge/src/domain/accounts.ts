import type { Actor } from '../kernel/actor.ts'
import type { SessionId, UserId } from '../kernel/ids.ts'
import type { UserRow } from '../store/schema.ts'
import type { Work } from '../store/unit-of-work.ts'
import type { Claimant, Identifier } from './claimants.ts'
import type { Deps } from './deps.ts'
import type { PasswordUse } from './factors/password.ts'
import type { GivenNames } from './names.ts'

/**
 * The place where accounts and passwords live: our own tables (`ownAccounts`), or a repository of the host program, whose accounts our tables copy. Flows use
 * this port, so that the same routes serve both.
 */
export type Accounts = OwnAccounts | ExternalAccounts

export interface OwnAccounts extends PasswordAuthority {
  readonly isExternal: false
}

export interface ExternalAccounts extends PasswordAuthority {
  readonly isExternal: true
  /** Creates an account at sign-up. @throws the errors of the repository, service_unavailable */
  readonly create: (deps: Deps, actor: Actor, input: NewAccount) => Promise<ProvedAccount>
}

export interface NewAccount extends GivenNames {
  readonly email: string
  readonly password: string
  readonly username?: string | undefined
}

/** Checks passwords, and receives new ones. */
interface PasswordAuthority {
  /** Returns the claimant of a sign-in, as far as it is known before the password is checked. */
  readonly recognise: (deps: Deps, actor: Actor, asked: Identifier) => Promise<Claimant>
  /** Checks the password of a sign-in. @throws invalid_credentials, account_inactive, email_unverified, overloaded, service_unavailable */
  readonly proveToSignIn: (deps: Deps, actor: Actor, attempt: SignInAttempt) => Promise<ProvedAccount>
  /** Checks the password of a signed-in user and returns the account that it was checked against. @throws incorrect_password, overloaded, service_unavailable */
  readonly proveInSession: (
    deps: Deps,
    actor: Actor,
    use: PasswordUse,
    user: UserRow,
    password: string,
  ) => Promise<UserRow>
  /**
   * Receives a new password after our tables stored it and ended the account's sessions, except `keep`.
   * @throws the errors of the repository, service_unavailable
   */
  readonly passwordWasSet: (deps: Deps, actor: Actor, set: PasswordSet) => Promise<void>
  /** Updates our copy of an account before an emailed link is applied to it. Returns false if the account no longer exists. @throws service_unavailable */
  readonly refresh: (deps: Deps, id: UserId) => Promise<boolean>
}

export interface PasswordSet {
  readonly userId: UserId
  readonly password: string
  /** The session in which the password was changed; null for a link. */
  readonly keep: SessionId | null
}

export interface SignInAttempt {
  readonly asked: Identifier
  readonly claimant: Claimant
  readonly password: string
}

/** An account whose password has just been checked. */
export interface ProvedAccount {
  readonly claimant: Claimant
  /** Runs a unit of work that stores the result of the check, such as a renewed hash, and then calls `run`. @throws invalid_credentials, overloaded */
  readonly transact: <T extends object>(run: (work: Work, user: UserRow) => Promise<T>) => Promise<T>
}
