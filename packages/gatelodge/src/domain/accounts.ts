import type { Actor } from '../kernel/actor.ts'
import type { UserId } from '../kernel/ids.ts'
import type { UserRow } from '../store/schema.ts'
import type { Work } from '../store/unit-of-work.ts'
import type { Claimant, Identifier } from './claimants.ts'
import type { Deps } from './deps.ts'
import type { PasswordUse } from './factors/password.ts'
import type { GivenNames } from './names.ts'

/**
 * Where accounts and their passwords live: in our own tables (`ownAccounts`), or in a repository of the host program, of which our tables hold copies.
 * Flows ask this port, so that one route serves both.
 */
export type Accounts = OwnAccounts | ExternalAccounts

export interface OwnAccounts extends PasswordAuthority {
  readonly isExternal: false
}

export interface ExternalAccounts extends PasswordAuthority {
  readonly isExternal: true
  /** Creates an account at a sign-up. @throws what the repository refuses, service_unavailable */
  readonly create: (deps: Deps, actor: Actor, input: NewAccount) => Promise<ProvedAccount>
}

export interface NewAccount extends GivenNames {
  readonly email: string
  readonly password: string
  readonly username?: string | undefined
}

/** Checks passwords, and is told of new ones. */
interface PasswordAuthority {
  /** Returns who signs in, as far as is known before the password is checked. */
  readonly recognise: (deps: Deps, actor: Actor, asked: Identifier) => Promise<Claimant>
  /** Tries a password to sign in. @throws invalid_credentials, account_inactive, email_unverified, overloaded, service_unavailable */
  readonly proveToSignIn: (deps: Deps, actor: Actor, attempt: SignInAttempt) => Promise<ProvedAccount>
  /** Tries the password of a signed-in user and returns the account as it was proved. @throws incorrect_password, overloaded, service_unavailable */
  readonly proveInSession: (
    deps: Deps,
    actor: Actor,
    use: PasswordUse,
    user: UserRow,
    password: string,
  ) => Promise<UserRow>
  /** Is told that a new password was stored in our tables. @throws what the repository refuses, service_unavailable */
  readonly passwordWasSet: (id: UserId, password: string) => Promise<void>
}

export interface SignInAttempt {
  readonly asked: Identifier
  readonly claimant: Claimant
  readonly password: string
}

/** An account whose password has just been given. */
export interface ProvedAccount {
  readonly claimant: Claimant
  /** Runs a unit of work that begins with storing what the password proved, and goes on with the account as it is then. @throws invalid_credentials, overloaded */
  readonly transact: <T extends object>(run: (work: Work, user: UserRow) => Promise<T>) => Promise<T>
}
