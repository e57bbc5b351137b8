import { type Actor, isStranger } from '../kernel/actor.ts'
import { second } from '../kernel/clock.ts'
import { AuthError } from '../kernel/errors.ts'
import type { Work } from '../store/unit-of-work.ts'
import type { Deps } from './deps.ts'
import { isDeviceOfSomebody, readDeviceCookie } from './devices.ts'
import { type Email, mailboxOf } from './identifiers/email.ts'
import { mailBudgets, spendAll } from './limits.ts'

/** The size of the rows of a request with their indexes and the event of the delivered email, in kB. Long texts come on top. */
const sizes = { mail: 1, signUp: 2, account: 5 } as const
const kilobyte = 1_000

/**
 * Admits a request of an unauthenticated visitor that adds rows and an email, as long as this process has room. `texts` counts once per stored copy. The
 * account in question does not matter. A browser that has signed in before has room of its own.
 * @throws rate_limited
 */
export async function assertMayAsk(
  deps: Deps,
  actor: Actor,
  what: keyof typeof sizes,
  texts: readonly (string | null)[],
): Promise<void> {
  if (!isStranger(actor)) return

  const { strangers } = deps
  const amount =
    sizes[what] + Math.floor(texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), 0) / kilobyte)
  const wait = strangers.ask(actor.ip, amount)
  if (wait === 0) return

  const device = readDeviceCookie(deps.keyring, actor.deviceCookie)
  const isKnown = device !== undefined && (await isDeviceOfSomebody(deps, device))
  if (isKnown && strangers.askOfDevice(device, amount) === 0) return

  strangers.refused()
  throw new AuthError('rate_limited', { retryAfter: Math.ceil(wait / second) })
}

/**
 * Returns whether unauthenticated visitors may cause one more email to an address, and uses up the budget. `ada+news@example.com` counts as `ada@example.com`,
 * which is the same mailbox at most providers; otherwise a mailbox could be flooded through any number of tags.
 */
export function mayMailTo(deps: Deps, work: Work, email: Email): Promise<boolean> {
  return spendAll(deps, work, mailBudgets, mailboxOf(email))
}
