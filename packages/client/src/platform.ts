import type { Fetch } from './ask.ts'

/** Where tokens are kept: strings by name. Answers may be promises, for storages that need time. */
export interface TokenStorage {
  get(name: string): string | null | undefined | Promise<string | null | undefined>
  set(name: string, value: string): unknown
  remove(name: string): unknown
}

/** The part of Web Locks that is used here. */
export interface Locks {
  request<T>(name: string, options: { signal: AbortSignal }, task: () => Promise<T>): Promise<T>
}

/** The part of a BroadcastChannel that is used here. */
export interface Channel {
  addEventListener(type: 'message', listener: (message: { readonly data: unknown }) => void): void
  postMessage(message: unknown): void
  close(): void
  /** Of Node.js. */
  unref?(): unknown
}

/** What the client takes from around it; tests have their own. */
export interface Platform {
  readonly fetch: Fetch
  /** epoch ms */
  now(): number
  sleep(ms: number): Promise<void>
  /** Undefined where there are none: plain http, most servers. */
  readonly locks: Locks | undefined
  /** The storage that the tabs of an origin share, if there is one. */
  readonly tabStorage: TokenStorage | undefined
  /** Reaches the other tabs of this origin. */
  openChannel(name: string): Channel | undefined
  /** The address of the page or worker, which changes as people move on. */
  readonly href: string | undefined
}

/** The platform that this runs on. */
export function currentPlatform(): Platform {
  const scope: Scope = globalThis
  return {
    fetch: (input, init) => globalThis.fetch(input, init),
    now: () => Date.now(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    locks: scope.navigator?.locks,
    tabStorage: findTabStorage(scope),
    openChannel(name) {
      // Only a page has tabs beside it. In one process of a server, other clients are other people.
      if (!scope.document || !scope.BroadcastChannel) return undefined
      const channel = new scope.BroadcastChannel(name)
      channel.unref?.() // in a page that Node.js plays, for tests, it would keep the process alive
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

/** Some servers have a localStorage too, one file for everybody: there it is not used. */
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
    return undefined // the browser was told to store nothing and throws at the mere look
  }
}

/** A storage that lasts as long as the page. */
export function memoryStorage(): TokenStorage {
  const kept = new Map<string, string>()
  return {
    get: (name) => kept.get(name),
    set: (name, value) => kept.set(name, value),
    remove: (name) => kept.delete(name),
  }
}
