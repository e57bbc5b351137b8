import type { Fetch } from './ask.ts'

/** A storage for tokens: strings by name. Results may be promises, for asynchronous storages. */
export interface TokenStorage {
  get(name: string): string | null | undefined | Promise<string | null | undefined>
  set(name: string, value: string): unknown
  remove(name: string): unknown
}

/** The subset of Web Locks used here. */
export interface Locks {
  request<T>(name: string, options: { signal: AbortSignal }, task: () => Promise<T>): Promise<T>
}

/** The subset of BroadcastChannel used here. */
export interface Channel {
  addEventListener(type: 'message', listener: (message: { readonly data: unknown }) => void): void
  postMessage(message: unknown): void
  close(): void
  /** Only in Node.js. */
  unref?(): unknown
}

/** What the client uses of its environment. Tests provide their own. */
export interface Platform {
  readonly fetch: Fetch
  /** epoch ms */
  now(): number
  sleep(ms: number): Promise<void>
  /** Undefined if not available: on plain http and on most servers. */
  readonly locks: Locks | undefined
  /** The storage shared by the tabs of an origin, if there is one. */
  readonly tabStorage: TokenStorage | undefined
  /** Opens a channel to the other tabs of this origin. */
  openChannel(name: string): Channel | undefined
  /** The URL of the page or worker, which changes on navigation. */
  readonly href: string | undefined
}

/** Returns the platform that this code runs on. */
export function currentPlatform(): Platform {
  const scope: Scope = globalThis
  return {
    fetch: (input, init) => globalThis.fetch(input, init),
    now: () => Date.now(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    locks: scope.navigator?.locks,
    tabStorage: findTabStorage(scope),
    openChannel(name) {
      // Only a page has other tabs. Within one server process, other clients belong to other users.
      if (!scope.document || !scope.BroadcastChannel) return undefined
      const channel = new scope.BroadcastChannel(name)
      channel.unref?.() // in a page simulated by Node.js, for tests, it would keep the process alive
      return channel
    },
    get href() {
      return scope.location?.href
    },
  }
}

interface Scope {
  readonly document?: unknown
  readonly location?: { readonly href: string }
  readonly navigator?: { readonly locks?: Locks }
  readonly localStorage?: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>
  readonly BroadcastChannel?: new (name: string) => Channel
}

/** Some servers have a localStorage too, one file for all users. It is not used there. */
function findTabStorage(scope: Scope): TokenStorage | undefined {
  if (!scope.document) return undefined
  try {
    const { localStorage } = scope
    return (
      localStorage && {
        get: (name) => localStorage.getItem(name),
        set: (name, value) => localStorage.setItem(name, value),
        remove: (name) => localStorage.removeItem(name),
      }
    )
  } catch {
    return undefined // the browser is set to store nothing and throws on any access
  }
}

/** Creates a storage that lasts as long as the page. */
export function memoryStorage(): TokenStorage {
  const kept = new Map<string, string>()
  return {
    get: (name) => kept.get(name),
    set: (name, value) => kept.set(name, value),
    remove: (name) => kept.delete(name),
  }
}
