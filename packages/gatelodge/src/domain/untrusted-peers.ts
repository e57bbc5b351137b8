import { type Clock, day, type Instant } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'

/**
 * Peers that send forwarding headers and are no trusted proxy. A proxy that nobody told us of makes all its clients count as one, so the log warns, once a
 * day, and an event keeps the address for `gatelodge doctor`. A trusted proxy whose header
 * names no address has the same effect; of that the log alone is told.
 */
export interface UntrustedPeers {
  /** Of a request; the first of a day counts. */
  note(peer: string): void
  /** A trusted proxy sent a header without an address; the first of a day counts. */
  noteUnreadable(): void
  /** The peer that no event tells of yet. */
  unrecorded(): string | undefined
  /** Says that one does. */
  recorded(): void
}

export function createUntrustedPeers({ clock, log }: { clock: Clock; log: Log }): UntrustedPeers {
  let notedAt: Instant = -day
  let unreadableAt: Instant = -day
  let waiting: string | undefined
  return {
    note(peer) {
      const now = clock.now()
      if (now - notedAt < day) return
      notedAt = now
      waiting = peer
      log.warn({}, 'forwarding header from an untrusted peer: if that is your proxy, set GATELODGE_TRUSTED_PROXIES')
    },
    noteUnreadable() {
      const now = clock.now()
      if (now - unreadableAt < day) return
      unreadableAt = now
      log.warn({}, 'a trusted proxy sends X-Forwarded-For without an address: make it send one, or all count as one')
    },
    unrecorded: () => waiting,
    recorded() {
      waiting = undefined
    },
  }
}
