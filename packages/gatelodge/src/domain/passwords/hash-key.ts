import type { Actor } from '../../kernel/actor.ts'
import type { UserId } from '../../kernel/ids.ts'
import { networksOf } from '../../kernel/networks.ts'

/** What a caller has shown of an account before its password is looked at: one of its known devices, sessions or mailed links. */
export interface OwnPlace {
  readonly account: UserId
  readonly place: string
}

/** Whose turn a hash is. */
export interface HashKey {
  /** The networks that it comes from, the largest first. */
  readonly networks: readonly string[]
  /** The account's own place, which the server has verified: it has turns that strangers cannot take. */
  readonly own: OwnPlace | undefined
}

/** Whose turn the hash of an actor is. Callers without an address share one line: those inside the process, and requests whose host names no client. */
export function hashKey(actor: Actor, own?: OwnPlace): HashKey {
  return { networks: networksOf(actor.ip ?? actor.kind), own }
}
