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
import { AuthError } from '../kernel/errors.ts'
import type { Auth } from './auth.ts'
import { actorOf, type Caller, type Engine, engineOf } from './engine.ts'
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
 * Confirms an address by its mailed link, once. Asks for the password chosen at sign-up, or in its place the `signUpToken` that `registerUser` gave.
 * @throws InvalidToken, password_required, incorrect_password (the link stays good), rate_limited, overloaded
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

/** Mails a fresh link to an unconfirmed address. @throws input_invalid, UserNotFound (enumeration `explicit` only) */
export function resendVerification(auth: Auth, input: { email: string }, caller: Caller = {}): Promise<void> {
  return raising({}, () => {
    const { deps } = ownUsers(auth)
    return resend(deps, actorOf(deps, caller), readInput(addressSchema, input))
  })
}

/** Asks for another address; nothing changes before its mailed link is confirmed. @throws NotAuthenticated, InvalidToken, incorrect_password, input_invalid, rate_limited */
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

/** Puts the new address in place by its mailed link, once; the other sessions end. @throws InvalidToken */
export function confirmEmailChange(auth: Auth, input: { token: string }, caller: Caller = {}): Promise<User> {
  return raising({}, async () => {
    const engine = ownUsers(auth)
    const link = readInput(linkSchema, input)
    const actor = caller.token === undefined ? actorOf(engine.deps, caller) : (await signedIn(engine, caller)).actor
    return confirm(engine.deps, actor, link)
  })
}

/** Gives the account back to its former address by the link mailed there, once; every session ends. @throws InvalidToken */
export function undoEmailChange(auth: Auth, input: { token: string }, caller: Caller = {}): Promise<void> {
  return raising({}, () => {
    const { deps } = ownUsers(auth)
    return undo(deps, actorOf(deps, caller), readInput(linkSchema, input))
  })
}

/**
 * Says "this wasn't me" by the link of a security notice, once: the account is in recovery until its owner chooses a password by the link mailed to them.
 * @throws InvalidToken
 */
export function undoSecurityChange(auth: Auth, input: { token: string }, caller: Caller = {}): Promise<void> {
  return raising({}, () => {
    const { deps } = engineOf(auth)
    return undoChange(deps, actorOf(deps, caller), readInput(linkSchema, input))
  })
}

/** Changes the given fields of the caller's account and profile; null clears one. @throws NotAuthenticated, InvalidToken, input_invalid, username_taken */
export function updateProfile(auth: Auth, input: UpdateProfileRequest, caller: Caller): Promise<User> {
  return raising({}, async () => {
    const engine = engineOf(auth)
    const { actor, me } = await signedIn(engine, caller)
    const given = readInput(updateProfileSchema, input)
    return update(engine.deps, actor, me, given)
  })
}

/** The caller's live sessions, the newest first. @throws NotAuthenticated, InvalidToken */
export function listSessions(auth: Auth, caller: Caller): Promise<Session[]> {
  return raising({}, async () => {
    const engine = engineOf(auth)
    const { actor, me } = await signedIn(engine, caller)
    return list(engine.deps, actor, me)
  })
}

/** Ends one of the caller's sessions. @throws NotAuthenticated, InvalidToken, not_found (another's session as well) */
export function revokeSession(auth: Auth, input: { id: string }, caller: Caller): Promise<void> {
  return raising({}, async () => {
    const engine = engineOf(auth)
    const { actor, me } = await signedIn(engine, caller)
    await revoke(engine.deps, actor, me, readInput(sessionIdSchema, input))
  })
}

/** A copy of everything stored about the caller, but for secrets. @throws NotAuthenticated, InvalidToken, reauthentication_required */
export function exportOwnData(auth: Auth, caller: Caller): Promise<OwnData> {
  return raising({}, async () => {
    const engine = engineOf(auth)
    const { actor, me } = await signedIn(engine, caller, { fresh: true })
    return exportData(engine.deps, actor, me)
  })
}

/** Removes the caller's account, by password or a fresh proof. @throws NotAuthenticated, InvalidToken, incorrect_password, reauthentication_required, last_administrator */
export function deleteOwnAccount(auth: Auth, input: { password?: string | undefined }, caller: Caller): Promise<void> {
  return raising({}, async () => {
    const engine = ownUsers(auth)
    const { actor, me } = await signedIn(engine, caller)
    await deleteAccount(engine.deps, actor, me, readInput(deleteAccountSchema, input))
  })
}

/** @throws not_found when accounts live in a repository of the host's own, which has no word for this */
function ownUsers(auth: Auth): Engine {
  const engine = engineOf(auth)
  if (engine.deps.accounts.isExternal)
    throw new AuthError('not_found', { detail: 'This is managed by the user repository' })
  return engine
}
