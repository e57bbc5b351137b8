import { normaliseEmail, parseEmail } from '../domain/identifiers/email.ts'
import { requestMail } from '../domain/outbox.ts'
import { transact } from '../store/unit-of-work.ts'
import type { Auth } from './auth.ts'
import { actorOf, engineOf } from './engine.ts'
import { type EmailMessage, messageSchema, readInput } from './input.ts'
import { raising } from './naming.ts'
import type { UserRepository } from './user-repository.ts'

/** Returns whether an account may have this email address, with a message for the user if not. */
export function validateEmail(text: string): { readonly valid: boolean; readonly message: string } {
  const valid = typeof text === 'string' && normaliseEmail(text) !== undefined
  return { valid, message: valid ? '' : 'Enter a valid email address.' }
}

/** Returns whether an account has this username, in any spelling with the same canonical form. */
export function checkUsernameExists(auth: Auth, username: string): Promise<boolean> {
  return raising({}, async () => (await engineOf(auth).users.getByUsername(String(username))) !== null)
}

/** Adds a mail of the host program to the outbox, which delivers it with the usual retries. @throws input_invalid */
export function sendEmailMessage(auth: Auth, message: EmailMessage): Promise<void> {
  return raising({}, async () => {
    const { deps } = engineOf(auth)
    const { to, ...mail } = readInput(messageSchema, message)
    const email = parseEmail('to', to)
    await transact(deps, actorOf(deps), (work) => requestMail(work, 'message', { email, ...mail }))
  })
}

/** Returns the repository in which accounts live: the one given to `createAuth`, otherwise the one over our store. */
export function getUserRepository(auth: Auth): UserRepository {
  return engineOf(auth).users
}
