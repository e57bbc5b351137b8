import { record } from '../domain/audit.ts'
import { parseEmail } from '../domain/identifiers/email.ts'
import { findValidToken, issueToken } from '../domain/one-time-tokens.ts'
import { hashKey } from '../domain/passwords/hash-key.ts'
import { findUser, findUserByEmail } from '../domain/users.ts'
import { changePassword as change } from '../flows/password-change/change-password.ts'
import { requestPasswordReset as request } from '../flows/password-reset/request-reset.ts'
import { resetPassword as reset } from '../flows/password-reset/reset-password.ts'
import { passwordField } from '../http/wire.ts'
import { InvalidToken } from '../kernel/errors.ts'
import type { UserId } from '../kernel/ids.ts'
import { transact } from '../store/unit-of-work.ts'
import type { Auth } from './auth.ts'
import { actorOf, type Caller, type Engine, engineOf } from './engine.ts'
import { syncByEmail } from './external-users.ts'
import { signedIn } from './holder.ts'
import { addressSchema, changePasswordSchema, readInput, resetPasswordSchema } from './input.ts'
import { raising } from './naming.ts'

/** The argon2id hash of a password as a PHC string; the password policy is not asked. @throws input_invalid, overloaded */
export function hashPassword(auth: Auth, password: string): Promise<string> {
  return raising({}, () => {
    const { deps } = engineOf(auth)
    return deps.hasher.hash(readInput(passwordField, password), hashKey(actorOf(deps)))
  })
}

/** Whether a password fits a PHC string; a damaged one costs the same and fits nothing. @throws input_invalid, overloaded */
export function verifyPassword(auth: Auth, password: string, hash: string): Promise<boolean> {
  return raising({}, () => {
    const { deps } = engineOf(auth)
    return deps.hasher.verify(String(hash), readInput(passwordField, password), hashKey(actorOf(deps)))
  })
}

/**
 * A token that resets the password of the active account with this address, once, for a host that mails it itself; null when there is none. Earlier ones are
 * void. Whether it is null must not reach the person who asked. @throws input_invalid
 */
export function createPasswordResetToken(auth: Auth, input: { email: string }): Promise<string | null> {
  return raising({}, async () => {
    const engine = engineOf(auth)
    const { deps } = engine
    const email = parseEmail('email', readInput(addressSchema, input).email)
    if (deps.accounts.isExternal) await syncByEmail(engine, email)

    return transact(deps, actorOf(deps), async (work) => {
      const user = await findUserByEmail(work.db, email)
      if (user?.is_active !== 1) return null

      await record(work, 'password_reset.requested', user.id, {})
      const purpose = user.recovery_since === null ? 'password_reset' : 'recovery'
      return issueToken(work, { purpose, owner: { userId: user.id }, email, ttl: deps.config.resetTtl })
    })
  })
}

/** Whose password a reset token would set; leaves it unspent. @throws InvalidToken */
export function verifyPasswordResetToken(auth: Auth, token: string): Promise<{ userId: string; email: string }> {
  return raising({}, () => resetTokenHolder(engineOf(auth), String(token)))
}

/** Asks for a mailed reset link; the work and the rows are the same for every address. @throws input_invalid */
export function requestPasswordReset(auth: Auth, input: { email: string }, caller: Caller = {}): Promise<void> {
  return raising({}, () => {
    const { deps } = engineOf(auth)
    return request(deps, actorOf(deps, caller), readInput(addressSchema, input))
  })
}

/** Sets a new password by a reset token, once, and ends every session. @throws InvalidToken, input_invalid, overloaded */
export function resetPassword(
  auth: Auth,
  input: { token: string; newPassword: string },
  caller: Caller = {},
): Promise<void> {
  return raising({}, async () => {
    const { deps } = engineOf(auth)
    await reset(deps, actorOf(deps, caller), readInput(resetPasswordSchema, input))
  })
}

/** Changes the caller's password and ends their other sessions. @throws NotAuthenticated, InvalidToken, incorrect_password, input_invalid, rate_limited */
export function changePassword(
  auth: Auth,
  input: { oldPassword: string; newPassword: string },
  caller: Caller,
): Promise<void> {
  return raising({}, async () => {
    const engine = engineOf(auth)
    const { actor, me } = await signedIn(engine, caller)
    await change(engine.deps, actor, me, readInput(changePasswordSchema, input))
  })
}

/** The active account that a live reset token is for. @throws token_invalid */
async function resetTokenHolder({ deps }: Engine, token: string): Promise<{ userId: UserId; email: string }> {
  const row = await findValidToken(deps, ['password_reset', 'recovery'], token)
  const user = await findUser(deps.store.db, row.user_id as UserId) // a reset token is an account's
  if (user?.is_active !== 1 || user.email !== row.email) throw new InvalidToken()
  return { userId: user.id, email: user.email }
}
