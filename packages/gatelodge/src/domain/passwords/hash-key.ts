import type { Actor } from '../../kernel/actor.ts'
import type { UserId } from '../../kernel/ids.ts'
import { networksOf } from '../../kernel/networks.ts'

/** What a caller has proved about an account before the password is checked: one of its known devices, sessions or emailed links. */
export interface OwnPlace {
  readonly account: UserId
  readonly place: string
}

/** Determines whose turn in the queue a hash uses. */
export interface HashKey {
  /** The networks that the request comes from, largest first. */
  readonly networks: readonly string[]
  /** The account's own place, which the server has verified. It has turns that strangers cannot use up. */
  readonly own: OwnPlace | undefined
}

/**
 * Returns the key of an actor. Callers without an address share one line: those inside the process, and requests whose host does not pass the client's address.
 */
export function hashKey(actor: Actor, own?: OwnPlace): HashKey {
  return { networks: networksOf(actor.ip ?? actor.kind), own }
}
