import type { TestApp } from '../../../gatelodge/test/support/app.ts'
import type { Fetch } from '../../src/ask.ts'
import type { Locks, Platform, TokenStorage } from '../../src/platform.ts'

/** A request made with a recorded fetch. */
export interface RecordedRequest {
  readonly method: string
  readonly url: string
  readonly path: string
  readonly headers: Headers
  readonly request: Request
}

export interface RecordingFetch {
  readonly fetch: Fetch
  readonly asked: RecordedRequest[]
  /** Returns how often a path was requested. */
  count(path: string): number
  /** While set, responds instead of the server; undefined lets a request through. */
  instead: ((asked: RecordedRequest) => Response | undefined | Promise<Response | undefined>) | undefined
}

/** Creates a fetch that calls the program in this process and records the requests. */
export function fetchOf(app: Pick<TestApp, 'composition'>): RecordingFetch {
  const recording: RecordingFetch = {
    asked: [],
    instead: undefined,
    count: (path) => recording.asked.filter((asked) => asked.path === path).length,
    async fetch(input, init) {
      const request = new Request(input, init)
      const { pathname: path } = new URL(request.url)
      const asked = { method: request.method, url: request.url, path, headers: request.headers, request }
      recording.asked.push(asked)
      return (await recording.instead?.(asked)) ?? app.composition.fetch(request, { peer: '192.0.2.1' })
    },
  }
  return recording
}

/** Creates the same fetch as a browser has for a page of the same origin: it stores cookies and sends the origin. */
export function browserOf(app: TestApp): RecordingFetch {
  const recording = fetchOf(app)
  const send = recording.fetch
  const jar = new Map<string, string>()
  return Object.assign(recording, {
    async fetch(input: string | Request, init?: RequestInit) {
      const request = new Request(input, init)
      request.headers.set('sec-fetch-site', 'same-origin')
      if (jar.size > 0 && init?.credentials === 'include')
        request.headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '))
      const response = await send(request)
      for (const cookie of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
        if (/max-age=0/i.test(cookie)) jar.delete(name)
        else jar.set(name, value)
      }
      return response
    },
  })
}

/** Creates the environment of a tab. Time stands still unless the test moves it, and a sleep takes a few turns of the event loop. */
export function tab(parts: Partial<Platform> & { readonly fetch: Fetch; readonly now: () => number }): Platform {
  return {
    locks: undefined,
    tabStorage: undefined,
    href: 'http://localhost:3000/',
    openChannel: () => undefined,
    async sleep() {
      for (let turns = 0; turns < 10; turns += 1) await new Promise(setImmediate)
    },
    ...parts,
  }
}

/** Returns the Web Locks of Node.js, which all clients of this process share. */
export function webLocks(): Locks {
  const { locks } = globalThis.navigator
  return { request: (name, options, task) => locks.request(name, options, task) }
}

/** Creates a storage that two tabs share. Each step takes one turn of the event loop, so that the tabs can interleave between any two steps. */
export function slowStorage(): TokenStorage & { readonly kept: Map<string, string> } {
  const kept = new Map<string, string>()
  const later = async <T>(step: () => T): Promise<T> => {
    await new Promise(setImmediate)
    return step()
  }
  return {
    kept,
    get: (name) => later(() => kept.get(name)),
    set: (name, value) => later(() => kept.set(name, value)),
    remove: (name) => later(() => kept.delete(name)),
  }
}
