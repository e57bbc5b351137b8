import type { User } from '../domain/users.ts'

/** What anybody may learn of a signed-in user. */
export interface PublicUser {
  readonly id: string
  readonly username: string | null
  readonly email: string
  /** Whether the account may be used. */
  readonly isActive: boolean
}

/** The public part of an account. */
export function toPublicUser({ id, username, email, isActive }: User): PublicUser {
  return { id, username, email, isActive }
}
