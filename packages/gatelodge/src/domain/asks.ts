import { type Actor, isStranger } from '../kernel/actor.ts'
import { second } from '../kernel/clock.ts'
import { AuthError } from '../kernel/errors.ts'
import type { Work } from '../store/unit-of-work.ts'
import type { Deps } from './deps.ts'
import { isDeviceOfSomebody, readDeviceCookie } from './devices.ts'
import { type Email, mailboxOf } from './identifiers/email.ts'
import { mailBudgets, spendAll } from './limits.ts'

/** What the rows of an ask take in the database with their indexes and the event of a delivered mail, in kB; long texts come on top. */
const sizes = { mail: 1, signUp: 2, account: 5 } as const
const kilobyte = 1_000

/**
 * Lets a stranger ask for what adds rows and a mail, as long as this process has room for it; `texts` are stored as often as they stand there. Whom the
 * request is about plays no part. A browser that signed in before has room of its own. @throws rate_limited
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
 * Whether strangers may cause one more mail to an address; uses it up. `ada+news@example.com` counts as `ada@example.com`, whose mailbox it is at most
 * providers: else one mailbox could be sent as many mails as it has such forms.
 */
export function mayMailTo(deps: Deps, work: Work, email: Email): Promise<boolean> {
  return spendAll(deps, work, mailBudgets, mailboxOf(email))
}
