import { record } from '../../domain/audit.ts'
import { decideSignIn, finishSignIn, type SignInOutcome } from '../../domain/authentication.ts'
import type { Deps } from '../../domain/deps.ts'
import { consume, newPasswordBudget } from '../../domain/limits.ts'
import { invalidateTokens } from '../../domain/one-time-tokens.ts'
import { requestNotice } from '../../domain/outbox.ts'
import { hashKey } from '../../domain/passwords/hash-key.ts'
import { assertNewPasswordAllowed, setPasswordHash } from '../../domain/passwords/set.ts'
import { endSessions, type SessionOptions } from '../../domain/sessions.ts'
import { consumeTicket, findTicket } from '../../domain/sign-in-tickets.ts'
import { getUser } from '../../domain/users.ts'
import type { Actor } from '../../kernel/actor.ts'
import { AuthError, invalidField } from '../../kernel/errors.ts'
import { transact } from '../../store/unit-of-work.ts'

/**
 * Replaces an initial password with the ticket of a sign-in, and completes that sign-in. A rejected password does not consume the ticket, but counts against
 * the budget of the account, which all its tickets share. With `kind`, a ticket for a session of the other kind is rejected. @throws token_invalid, input_invalid, rate_limited, overloaded
 */
export async function setNewPassword(
  deps: Deps,
  actor: Actor,
  input: { changeToken: string; newPassword: string; kind?: SessionOptions['kind'] },
): Promise<SignInOutcome> {
  const ticket = await findTicket(deps, 'password_change_required', input.changeToken)
  if (input.kind !== undefined && input.kind !== ticket.options.kind) throw new AuthError('token_invalid')
  const { user: seen } = ticket
  assertNewPasswordAllowed(deps, seen, input.newPassword)
  await consume(deps, actor, newPasswordBudget, seen.id) // each attempt costs two hashes
  const key = hashKey(actor, { account: seen.id, place: `ticket ${ticket.id}` })
  if (await deps.hasher.verify(seen.password_hash, input.newPassword, key)) {
    throw invalidField('new_password', 'reused', 'Choose a password other than the initial one')
  }
  const hash = await deps.hasher.hash(input.newPassword, key)

  const decision = await transact(deps, actor, async (work) => {
    const { id } = await consumeTicket(work, ticket)
    await setPasswordHash(deps, work, id, hash)
    await invalidateTokens(work, { userId: id }, ['password_reset', 'email_change'])
    const sessionsEnded = await endSessions(work, id)
    await requestNotice(deps, work, 'password_changed', { userId: id, at: work.now })
    await record(work, 'password.changed', id, { sessions_ended: sessionsEnded })
    return decideSignIn(deps, work, await getUser(work.db, id), ticket.proof, ticket.options)
  })
  return finishSignIn(deps, decision)
}
