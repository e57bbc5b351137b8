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

/** Returns the argon2id hash of a password as a PHC string. Does not apply the password policy. @throws input_invalid, overloaded */
export function hashPassword(auth: Auth, password: string): Promise<string> {
  return raising({}, () => {
    const { deps } = engineOf(auth)
    return deps.hasher.hash(readInput(passwordField, password), hashKey(actorOf(deps)))
  })
}

/** Returns whether a password matches a PHC string. A malformed string takes the same time and matches nothing. @throws input_invalid, overloaded */
export function verifyPassword(auth: Auth, password: string, hash: string): Promise<boolean> {
  return raising({}, () => {
    const { deps } = engineOf(auth)
    return deps.hasher.verify(String(hash), readInput(passwordField, password), hashKey(actorOf(deps)))
  })
}

/**
 * Returns a token that resets the password of the active account with this address, for a host that mails it itself, or null if there is no such account.
 * It works once and invalidates earlier tokens. Do not let the person who asked find out whether it was null. @throws input_invalid
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

/** Returns the user whose password a reset token can set, without consuming the token. @throws InvalidToken */
export function verifyPasswordResetToken(auth: Auth, token: string): Promise<{ userId: string; email: string }> {
  return raising({}, () => resetTokenHolder(engineOf(auth), String(token)))
}

/** Requests a mailed reset link. The work done and the rows written are the same for every address. @throws input_invalid */
export function requestPasswordReset(auth: Auth, input: { email: string }, caller: Caller = {}): Promise<void> {
  return raising({}, () => {
    const { deps } = engineOf(auth)
    return request(deps, actorOf(deps, caller), readInput(addressSchema, input))
  })
}

/** Sets a new password with a reset token, which works once, and revokes all sessions. @throws InvalidToken, input_invalid, overloaded */
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

/** Changes the caller's password and revokes their other sessions. @throws NotAuthenticated, InvalidToken, incorrect_password, input_invalid, rate_limited */
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

/** Returns the active account of a valid reset token. @throws token_invalid */
async function resetTokenHolder({ deps }: Engine, token: string): Promise<{ userId: UserId; email: string }> {
  const row = await findValidToken(deps, ['password_reset', 'recovery'], token)
  const user = await findUser(deps.store.db, row.user_id as UserId) // reset tokens always belong to an account
  if (user?.is_active !== 1 || user.email !== row.email) throw new InvalidToken()
  return { userId: user.id, email: user.email }
}
