import { normaliseEmail, parseEmail } from '../domain/identifiers/email.ts'
import { requestMail } from '../domain/outbox.ts'
import { transact } from '../store/unit-of-work.ts'
import type { Auth } from './auth.ts'
import { actorOf, engineOf } from './engine.ts'
import { type EmailMessage, messageSchema, readInput } from './input.ts'
import { raising } from './naming.ts'
import type { UserRepository } from './user-repository.ts'

/** Whether a text is an e-mail address that accounts may have, and the sentence for the person when it is none. */
export function validateEmail(text: string): { readonly valid: boolean; readonly message: string } {
  const valid = typeof text === 'string' && normaliseEmail(text) !== undefined
  return { valid, message: valid ? '' : 'Enter a valid email address.' }
}

/** Whether an account has this username, however it is written. */
export function checkUsernameExists(auth: Auth, username: string): Promise<boolean> {
  return raising({}, async () => (await engineOf(auth).users.getByUsername(String(username))) !== null)
}

/** Puts a mail of the host's own into the outbox, from where it is delivered with the same retries as every other. @throws input_invalid */
export function sendEmailMessage(auth: Auth, message: EmailMessage): Promise<void> {
  return raising({}, async () => {
    const { deps } = engineOf(auth)
    const { to, ...mail } = readInput(messageSchema, message)
    const email = parseEmail('to', to)
    await transact(deps, actorOf(deps), (work) => requestMail(work, 'message', { email, ...mail }))
  })
}

/** The repository in which accounts live: the one given to `createAuth`, else the one over our store. */
export function getUserRepository(auth: Auth): UserRepository {
  return engineOf(auth).users
}
