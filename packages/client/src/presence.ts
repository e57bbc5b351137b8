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
  signedIn(user: User): void
  /** The session was ended here, or is known to have ended. */
  signedOut(): void
  refreshed(): void
  /** An answer told of the user who is signed in. */
  found(user: User): void
  /** An answer told how the user who is signed in is now, after a change. */
  changed(user: User): void
  /** An answer told of a user who may be another than the one signed in. */
  mentioned(user: User): void
  /** An answer said that nobody is signed in. */
  foundNobody(): void
}

/** `isSignedIn` asks the tokens of this tab, where there are any: an event of another tab that they contradict is about another sign-in. */
export function createPresence(channel: Channel | undefined, isSignedIn?: () => Promise<boolean>): Presence {
  const listeners: { [E in SessionEvent]: Set<Listener<E>> } = {
    'signed-in': new Set(),
    'signed-out': new Set(),
    refreshed: new Set(),
    'user-changed': new Set(),
  }
  /** Undefined until an answer told of it. */
  let known: User | null | undefined

  channel?.addEventListener('message', ({ data }) => void hear(data))

  async function hear(data: unknown): Promise<void> {
    if (!isRecord(data) || !(data.user === null || isUser(data.user))) return
    const { user } = data
    if (isSignedIn && (await isSignedIn()) !== (user !== null)) return

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

  return {
    on(event, listener) {
      listeners[event].add(listener)
      return () => void listeners[event].delete(listener)
    },
    signedIn(user) {
      known = null // the same person again is a sign-in too
      tell(user)
    },
    signedOut: () => tell(null),
    refreshed: () => emit('refreshed', undefined),
    found(user) {
      if (known === undefined) known = user
      else tell(user)
    },
    changed(user) {
      if (known !== undefined) return tell(user)
      known = user
      emit('user-changed', user)
      channel?.postMessage({ user })
    },
    mentioned(user) {
      if (known?.id === user.id) tell(user)
    },
    foundNobody() {
      if (known === undefined) known = null
      else tell(null)
    },
  }
}
