import type { User } from './generated.ts'
import { isRecord } from './json.ts'
import type { Channel } from './platform.ts'
import { isUser } from './user.ts'

/** Events and what listeners receive. All tabs receive `signed-in`, `signed-out` and `user-changed`; `refreshed` only reaches the tab that refreshed. */
export interface SessionEvents {
  'signed-in': User
  'signed-out': undefined
  refreshed: undefined
  'user-changed': User
}

/** The name of an event. */
export type SessionEvent = keyof SessionEvents

type Listener<E extends SessionEvent> = (detail: SessionEvents[E]) => void

/** The signed-in user, as far as responses have revealed it, and the listeners. */
export interface Presence {
  on<E extends SessionEvent>(event: E, listener: Listener<E>): () => void
  /** Increases when a user signs in or out, in this tab or another. The response to a request from an earlier epoch is outdated. */
  epoch(): number
  signedIn(user: User): void
  /** The session was ended in this client, or is known to have ended. */
  signedOut(): void
  refreshed(): void
  /** A response to a request from epoch `asked` contained the signed-in user. */
  found(user: User, asked: number): void
  /** A response to a request from epoch `asked` contained the signed-in user after a change. */
  changed(user: User, asked: number): void
  /** A response contained a user who may not be the signed-in one. */
  mentioned(user: User): void
  /** A response to a request from epoch `asked`, or the lack of tokens, showed that no user is signed in. */
  foundNobody(asked: number): void
  /** Removes all listeners and closes the channel. */
  close(): void
}

/**
 * Creates the presence. `isSignedIn` checks the tokens of this tab, if it has any: an event of another tab that contradicts them belongs to another sign-in.
 */
export function createPresence(opened: Channel | undefined, isSignedIn?: () => Promise<boolean>): Presence {
  const listeners: { [E in SessionEvent]: Set<Listener<E>> } = {
    'signed-in': new Set(),
    'signed-out': new Set(),
    refreshed: new Set(),
    'user-changed': new Set(),
  }
  /** Undefined until a response has revealed it. */
  let known: User | null | undefined
  let epoch = 0
  let channel = opened

  // If the storage fails, the message cannot be verified and is ignored.
  channel?.addEventListener('message', ({ data }) => void hear(data).catch(() => undefined))

  async function hear(data: unknown): Promise<void> {
    if (!isRecord(data) || !(data.user === null || isUser(data.user))) return
    const { user } = data
    if (isSignedIn && (await isSignedIn()) !== (user !== null)) return

    epoch += 1
    change(user)
  }

  /** Sets `known`, notifies the listeners of this tab and returns whether anything changed. */
  function change(user: User | null): boolean {
    const before = known
    known = user
    if (user === null) {
      if (before !== null) emit('signed-out', undefined)
      return before !== null
    }
    if (before?.id !== user.id) {
      emit('signed-in', user)
      return true
    }
    if (JSON.stringify(before) === JSON.stringify(user)) return false
    emit('user-changed', user)
    return true
  }

  /** A listener that throws must not break its caller: in a microtask, the platform reports the error as for events. */
  function emit<E extends SessionEvent>(event: E, detail: SessionEvents[E]): void {
    for (const listener of listeners[event]) queueMicrotask(() => listener(detail))
  }

  function tell(user: User | null): void {
    if (change(user)) channel?.postMessage({ user })
  }

  function mentioned(user: User): void {
    if (known?.id === user.id) tell(user)
  }

  return {
    on(event, listener) {
      listeners[event].add(listener)
      return () => void listeners[event].delete(listener)
    },
    epoch: () => epoch,
    signedIn(user) {
      epoch += 1
      known = null // a repeated sign-in of the same user is an event too
      tell(user)
    },
    signedOut() {
      epoch += 1
      tell(null)
    },
    refreshed: () => emit('refreshed', undefined),
    found(user, asked) {
      if (asked !== epoch) return
      if (known === undefined) known = user
      else tell(user)
    },
    changed(user, asked) {
      if (asked !== epoch) return mentioned(user)
      if (known !== undefined) return tell(user)
      known = user
      emit('user-changed', user)
      channel?.postMessage({ user })
    },
    mentioned,
    foundNobody(asked) {
      if (asked !== epoch) return
      if (known === undefined) known = null
      else tell(null)
    },
    close() {
      channel?.close()
      channel = undefined
      for (const heard of Object.values(listeners)) heard.clear()
    },
  }
}
