import type { User } from './generated.ts'
import { isRecord } from './json.ts'
import type { Channel } from './platform.ts'
import { isUser } from './user.ts'

/** What listeners hear, by event. All tabs hear of `signed-in`, `signed-out` and `user-changed`, only the tab that did it of `refreshed`. */
export interface SessionEvents {
  'signed-in': User
  'signed-out': undefined
  refreshed: undefined
  'user-changed': User
}

/** The name of an event. */
export type SessionEvent = keyof SessionEvents

type Listener<E extends SessionEvent> = (detail: SessionEvents[E]) => void

/** Who is signed in as far as answers told, and who wants to hear of it. */
export interface Presence {
  on<E extends SessionEvent>(event: E, listener: Listener<E>): () => void
  /** Grows when somebody signs in or out, here or in another tab: an answer to what was asked in an earlier epoch is overtaken. */
  epoch(): number
  signedIn(user: User): void
  /** The session was ended here, or is known to have ended. */
  signedOut(): void
  refreshed(): void
  /** An answer to what was asked in this epoch told of the user who is signed in. */
  found(user: User, asked: number): void
  /** The same of how that user is now, after a change. */
  changed(user: User, asked: number): void
  /** An answer told of a user who may be another than the one signed in. */
  mentioned(user: User): void
  /** An answer to what was asked in this epoch, or the look for tokens, said that nobody is signed in. */
  foundNobody(asked: number): void
  /** Nothing is told or heard any more. */
  close(): void
}

/** `isSignedIn` asks the tokens of this tab, where there are any: an event of another tab that they contradict is about another sign-in. */
export function createPresence(opened: Channel | undefined, isSignedIn?: () => Promise<boolean>): Presence {
  const listeners: { [E in SessionEvent]: Set<Listener<E>> } = {
    'signed-in': new Set(),
    'signed-out': new Set(),
    refreshed: new Set(),
    'user-changed': new Set(),
  }
  /** Undefined until an answer told of it. */
  let known: User | null | undefined
  let epoch = 0
  let channel = opened

  // Where the storage fails, nobody can say whether it is true.
  channel?.addEventListener('message', ({ data }) => void hear(data).catch(() => undefined))

  async function hear(data: unknown): Promise<void> {
    if (!isRecord(data) || !(data.user === null || isUser(data.user))) return
    const { user } = data
    if (isSignedIn && (await isSignedIn()) !== (user !== null)) return

    epoch += 1
    change(user)
  }

  /** Tells the listeners of this tab how `known` changes, and answers whether it does. */
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

  /** A listener that throws must not break what told it: the platform reports it as it does for events. */
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
      known = null // the same person again is a sign-in too
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
