import type { SignInAttempt } from '../../domain/accounts.ts'
import { decideSignIn, finishSignIn, type SignInOutcome } from '../../domain/authentication.ts'
import { type Identifier, toIdentifier } from '../../domain/claimants.ts'
import type { Deps } from '../../domain/deps.ts'
import { passwordProof, passwordToSignIn, withinPasswordDelay } from '../../domain/factors/password.ts'
import { normaliseEmail } from '../../domain/identifiers/email.ts'
import { normaliseUsername } from '../../domain/identifiers/username.ts'
import type { SessionOptions } from '../../domain/sessions.ts'
import type { Actor } from '../../kernel/actor.ts'
import { invalidField } from '../../kernel/errors.ts'

export interface SignIn extends SessionOptions {
  /** Email address or username. */
  readonly identifier?: string | undefined
  readonly email?: string | undefined
  readonly username?: string | undefined
  readonly password: string
}

/**
 * Signs a user in by password. An unknown account, a wrong password and a deactivated account take the same time and get the same error. Any other reason
 * is reported only if the password is correct.
 * @throws input_invalid, invalid_credentials, account_inactive, email_unverified, rate_limited, overloaded
 */
export async function signIn(deps: Deps, actor: Actor, input: SignIn): Promise<SignInOutcome> {
  const asked = readIdentifier(input)
  const claimant = await deps.accounts.recognise(deps, actor, asked)
  return withinPasswordDelay(deps, actor, passwordToSignIn(claimant), () =>
    signInByPassword(deps, actor, { asked, claimant, password: input.password }, input),
  )
}

/** @throws input_invalid unless exactly one of `identifier`, `email` and `username` is given */
function readIdentifier(input: SignIn): Identifier {
  const given = [input.identifier, input.email, input.username].filter((text) => text !== undefined)
  if (given.length !== 1)
    throw invalidField('identifier', 'required', 'Send exactly one of identifier, email and username')

  const [text = ''] = given
  if (input.email !== undefined) return { kind: 'email', value: normaliseEmail(text) ?? text, text }
  if (input.username !== undefined) return { kind: 'username', value: normaliseUsername(text) ?? text, text }
  return toIdentifier(text)
}

async function signInByPassword(
  deps: Deps,
  actor: Actor,
  attempt: SignInAttempt,
  options: SessionOptions,
): Promise<SignInOutcome> {
  const { claimant, transact } = await deps.accounts.proveToSignIn(deps, actor, attempt)
  const decision = await transact((work, user) => decideSignIn(deps, work, user, passwordProof, options, claimant))
  return finishSignIn(deps, decision)
}
