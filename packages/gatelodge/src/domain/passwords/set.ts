import type { UserId } from '../../kernel/ids.ts'
import type { UserRow } from '../../store/schema.ts'
import type { Work } from '../../store/unit-of-work.ts'
import { forgetFailures } from '../claimants.ts'
import type { Deps } from '../deps.ts'
import { updateUser } from '../user-rows.ts'
import { assertPasswordAllowed } from './policy.ts'

/** Sets the hash of a password that its user chose; failures at the old one are forgotten. */
export async function setPasswordHash(deps: Deps, work: Work, userId: UserId, hash: string): Promise<void> {
  await updateUser(work, userId, { password_hash: hash, password_changed_at: work.now, must_change_password: 0 })
  await forgetFailures(deps, work, userId)
}

/** Rejects a new password that the policy forbids for this account. @throws input_invalid for the field `new_password` */
export function assertNewPasswordAllowed(deps: Deps, user: UserRow, password: string): void {
  assertPasswordAllowed('new_password', password, deps.config.passwordMinLength, {
    email: user.email,
    username: user.username,
    firstName: user.first_name,
    lastName: user.last_name,
    serviceName: deps.config.serviceName,
  })
}
