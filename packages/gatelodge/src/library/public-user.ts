import type { User } from '../domain/users.ts'

/** The fields of a user that any caller may see. */
export interface PublicUser {
  readonly id: string
  readonly username: string | null
  readonly email: string
  /** Whether the account may be used. */
  readonly isActive: boolean
}

/** Returns the public fields of an account. */
export function toPublicUser({ id, username, email, isActive }: User): PublicUser {
  return { id, username, email, isActive }
}
