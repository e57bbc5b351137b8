import type { Session } from '../domain/sessions.ts'
import type { User } from '../domain/users.ts'
import { deleteOwnAccount as deleteAccount } from '../flows/account-data/delete-account.ts'
import { exportOwnData as exportData, type OwnData } from '../flows/account-data/own-data.ts'
import { confirmEmailChange as confirm, undoEmailChange as undo } from '../flows/email-change/confirm-change.ts'
import { requestEmailChange as request } from '../flows/email-change/request-change.ts'
import { resendVerification as resend } from '../flows/email-verification/resend-verification.ts'
import { verifyEmail as verify } from '../flows/email-verification/verify-email.ts'
import { updateProfile as update } from '../flows/profile/update-profile.ts'
import { undoSecurityChange as undoChange } from '../flows/recovery/undo-security-change.ts'
import { listSessions as list, revokeSession as revoke } from '../flows/sessions/end-sessions.ts'
import type { Auth } from './auth.ts'
import { actorOf, type Caller, engineOf, ownUsers } from './engine.ts'
import { signedIn } from './holder.ts'
import {
  addressSchema,
  changeEmailSchema,
  deleteAccountSchema,
  linkSchema,
  readInput,
  sessionIdSchema,
  type UpdateProfileRequest,
  updateProfileSchema,
  verifyEmailSchema,
} from './input.ts'
import { raising } from './naming.ts'

/**
 * Confirms an address with the token of its mailed link, which works once. Requires the password chosen at sign-up or the `signUpToken` that `registerUser`
 * returned. @throws InvalidToken, password_required, incorrect_password (the token remains valid), rate_limited, overloaded
 */
export function verifyEmail(
  auth: Auth,
  input: { token: string; password?: string | undefined; signUpToken?: string | undefined },
  caller: Caller = {},
): Promise<User> {
  return raising({}, () => {
    const { deps } = ownUsers(auth)
    const { signUpToken, ...link } = readInput(verifyEmailSchema, input)
    return verify(deps, { ...actorOf(deps, caller), signUpCookie: signUpToken ?? null }, link)
  })
}

/** Mails a new link to an unconfirmed address. @throws input_invalid, UserNotFound (only with enumeration `explicit`) */
export function resendVerification(auth: Auth, input: { email: string }, caller: Caller = {}): Promise<void> {
  return raising({}, () => {
    const { deps } = ownUsers(auth)
    return resend(deps, actorOf(deps, caller), readInput(addressSchema, input))
  })
}

/** Requests a change of address. It takes effect when its mailed link is confirmed. @throws NotAuthenticated, InvalidToken, incorrect_password, input_invalid, rate_limited */
export function requestEmailChange(
  auth: Auth,
  input: { newEmail: string; password: string },
  caller: Caller,
): Promise<void> {
  return raising({}, async () => {
    const engine = ownUsers(auth)
    const { actor, me } = await signedIn(engine, caller)
    await request(engine.deps, actor, me, readInput(changeEmailSchema, input))
  })
}

/** Changes the address with the token of the mailed link, which works once, and revokes the other sessions. @throws InvalidToken */
export function confirmEmailChange(auth: Auth, input: { token: string }, caller: Caller = {}): Promise<User> {
  return raising({}, async () => {
    const engine = ownUsers(auth)
    const link = readInput(linkSchema, input)
    const actor = caller.token === undefined ? actorOf(engine.deps, caller) : (await signedIn(engine, caller)).actor
    return confirm(engine.deps, actor, link)
  })
}

/** Restores the former address with the token of the link mailed to it, which works once, and revokes all sessions. @throws InvalidToken */
export function undoEmailChange(auth: Auth, input: { token: string }, caller: Caller = {}): Promise<void> {
  return raising({}, () => {
    const { deps } = ownUsers(auth)
    return undo(deps, actorOf(deps, caller), readInput(linkSchema, input))
  })
}

/**
 * Reports "this wasn't me" with the token of the link in a security notice, which works once. The account is in recovery until its owner sets a password through
 * the link that is then mailed to them.
 * @throws InvalidToken
 */
export function undoSecurityChange(auth: Auth, input: { token: string }, caller: Caller = {}): Promise<void> {
  return raising({}, () => {
    const { deps } = engineOf(auth)
    return undoChange(deps, actorOf(deps, caller), readInput(linkSchema, input))
  })
}

/** Changes the given fields of the caller's account and profile. Null clears a field. @throws NotAuthenticated, InvalidToken, input_invalid, username_taken */
export function updateProfile(auth: Auth, input: UpdateProfileRequest, caller: Caller): Promise<User> {
  return raising({}, async () => {
    const engine = engineOf(auth)
    const { actor, me } = await signedIn(engine, caller)
    const given = readInput(updateProfileSchema, input)
    return update(engine.deps, actor, me, given)
  })
}

/** Returns the caller's valid sessions, newest first. @throws NotAuthenticated, InvalidToken */
export function listSessions(auth: Auth, caller: Caller): Promise<Session[]> {
  return raising({}, async () => {
    const engine = engineOf(auth)
    const { actor, me } = await signedIn(engine, caller)
    return list(engine.deps, actor, me)
  })
}

/** Revokes one of the caller's sessions. @throws NotAuthenticated, InvalidToken, not_found (also for another user's session) */
export function revokeSession(auth: Auth, input: { id: string }, caller: Caller): Promise<void> {
  return raising({}, async () => {
    const engine = engineOf(auth)
    const { actor, me } = await signedIn(engine, caller)
    await revoke(engine.deps, actor, me, readInput(sessionIdSchema, input))
  })
}

/** Returns a copy of everything stored about the caller, except secrets. @throws NotAuthenticated, InvalidToken, reauthentication_required */
export function exportOwnData(auth: Auth, caller: Caller): Promise<OwnData> {
  return raising({}, async () => {
    const engine = engineOf(auth)
    const { actor, me } = await signedIn(engine, caller, { fresh: true })
    return exportData(engine.deps, actor, me)
  })
}

/** Deletes the caller's account. Requires the password or a fresh proof. @throws NotAuthenticated, InvalidToken, incorrect_password, reauthentication_required, last_administrator */
export function deleteOwnAccount(auth: Auth, input: { password?: string | undefined }, caller: Caller): Promise<void> {
  return raising({}, async () => {
    const engine = ownUsers(auth)
    const { actor, me } = await signedIn(engine, caller)
    await deleteAccount(engine.deps, actor, me, readInput(deleteAccountSchema, input))
  })
}
