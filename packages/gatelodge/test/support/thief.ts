import { day } from '../../src/kernel/clock.ts'
import type { Person, TestApp } from './app.ts'

/** Creates a generator of random numbers from a seed (mulberry32), so that a run can be repeated. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Returns a function that finds every new link in a user's emails, with its target. */
export function createInbox(app: TestApp, address: string) {
  const seen = new Set<string>()
  return async (): Promise<{ readonly path: string; readonly token: string }[]> => {
    const links = (await app.mails(address)).flatMap(({ text }) => text.match(/https?:\/\/\S+[?&]token=\S+/g) ?? [])
    const fresh = links.filter((link) => !seen.has(link))
    for (const link of fresh) seen.add(link)
    return fresh.map((link) => {
      const { pathname, searchParams } = new URL(link)
      return { path: pathname, token: searchParams.get('token') ?? '' }
    })
  }
}

/** What a thief holds; it only grows. */
export interface Loot {
  readonly passwords: string[]
  readonly sessions: string[]
  readonly apiTokens: string[]
}

/**
 * A thief who knows the password, holds a live session and reads emails to the thief's own addresses. Each turn does everything that an account allows, in
 * random order, each request from another address.
 */
export class Thief {
  readonly loot: Loot
  readonly #app: TestApp
  readonly #victim: Person
  readonly #random: () => number
  readonly #inboxes: { readonly address: string; readonly open: ReturnType<typeof createInbox> }[] = []
  #requests = 0

  constructor(app: TestApp, victim: Person, session: string, random: () => number) {
    this.#app = app
    this.#victim = victim
    this.#random = random
    this.loot = { passwords: [victim.password], sessions: [session], apiTokens: [] }
  }

  /** Takes one turn. */
  async act(): Promise<void> {
    const acts = [
      () => this.signIn(),
      () => this.changePassword(),
      () => this.requestAddress(),
      () => this.useMails(),
      () => this.createApiToken(),
      () => this.endOthers(),
      () => this.forgetPassword(),
    ]
    for (const act of this.#shuffled(acts)) await act()
  }

  async signIn(): Promise<void> {
    const email = this.#any([this.#victim.email, ...this.#addresses])
    const password = this.#any(this.loot.passwords.slice(-3))
    const told = await this.#app.post('/signin', { email, password, session: 'cookie' }, this.#ask())
    const cookie = told.cookie('gatelodge')
    if (cookie !== undefined) this.loot.sessions.push(cookie)
  }

  async changePassword(): Promise<void> {
    const password = `thieves harbour ${this.loot.passwords.length}`
    for (const old of this.loot.passwords.slice(-2)) {
      const change = { old_password: old, new_password: password }
      const told = await this.#app.post('/change-password', change, this.#session())
      if (told.status === 200) this.loot.passwords.push(password)
    }
  }

  async requestAddress(): Promise<void> {
    const address = `thief${this.#inboxes.length}.${this.#victim.email}`
    const password = this.loot.passwords.at(-1)
    const told = await this.#app.post('/change-email', { new_email: address, password }, this.#session())
    if (told.status === 202) this.#inboxes.push({ address, open: createInbox(this.#app, address) })
  }

  /** Uses every link that arrived at one of the thief's addresses. */
  async useMails(): Promise<void> {
    for (const { open } of this.#inboxes) {
      for (const { path, token } of await open()) {
        const password = `thieves harbour ${this.loot.passwords.length}`
        const body = path === '/reset-password' ? { token, new_password: password } : { token }
        const api = path === '/change-email' ? '/change-email/confirm' : path
        const told = await this.#app.post(api, body, this.#session())
        if (told.status === 200 && path === '/reset-password') this.loot.passwords.push(password)
      }
    }
  }

  async createApiToken(): Promise<void> {
    const told = await this.#app.post('/me/tokens', { name: 'mine', expires_in: (300 * day) / 1000 }, this.#session())
    if (told.status === 201) this.loot.apiTokens.push(told.json.token)
  }

  async endOthers(): Promise<void> {
    await this.#app.delete('/me/sessions', this.#session())
  }

  /** Requests reset links everywhere, so that the owner's become invalid or their budget is used up. */
  async forgetPassword(): Promise<void> {
    const email = this.#any([this.#victim.email, ...this.#addresses])
    await this.#app.post('/forgot-password', { email }, this.#ask())
  }

  /** Deletes the account, if a session or a password still allows it. */
  async deleteAccount(): Promise<void> {
    for (const password of this.loot.passwords.slice(-2)) {
      await this.#app.delete('/me', this.#session(), { password })
    }
  }

  get #addresses(): string[] {
    return this.#inboxes.map(({ address }) => address)
  }

  #session() {
    return { ...this.#ask(), cookie: this.loot.sessions.at(-1) ?? '' }
  }

  #ask() {
    this.#requests += 1
    return { ip: `2001:db8:${this.#requests.toString(16)}::1`, headers: { 'user-agent': 'bot' } }
  }

  #any<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)] as T // never empty
  }

  #shuffled<T>(list: readonly T[]): T[] {
    return list
      .map((item) => ({ item, at: this.#random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ item }) => item)
  }
}
