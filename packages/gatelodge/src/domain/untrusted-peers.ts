import { type Clock, day, type Instant } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'

/**
 * Tracks peers that send forwarding headers and are not trusted proxies. All clients behind a proxy that is not configured count as one, so the log warns once
 * a day, and an event keeps the address for `gatelodge doctor`. A trusted proxy whose header contains no address has the same effect; that is only logged.
 */
export interface UntrustedPeers {
  /** Records such a peer. Only the first of a day counts. */
  note(peer: string): void
  /** Records that a trusted proxy sent a header without an address. Only the first of a day counts. */
  noteUnreadable(): void
  /** Returns the peer that no event has recorded yet. */
  unrecorded(): string | undefined
  /** Marks it as recorded. */
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
      log.warn({}, 'X-Forwarded-For from a trusted proxy has no address: all clients count as one until it sends one')
    },
    unrecorded: () => waiting,
    recorded() {
      waiting = undefined
    },
  }
}
