import assert from 'node:assert/strict'
import type { Person, TestApp } from './app.ts'

const origin = 'http://localhost:3000'

/** What a visitor sees after redirects. */
export interface SeenPage {
  readonly status: number
  /** Path and query after the last redirect. */
  readonly at: string
  readonly headers: Headers
  readonly html: string
  /** The text of the page without markup. */
  readonly text: string
  /** Returns the fields of the form with this action, by name, as a browser would send them. */
  form(action: string): Record<string, string>
}

/** A browser without scripts: keeps cookies, follows redirects, sends forms as they were rendered. */
export class Visitor {
  readonly #app: TestApp
  readonly #cookies = new Map<string, string>()
  readonly #headers: Readonly<Record<string, string>>

  constructor(app: TestApp, headers: Readonly<Record<string, string>> = {}) {
    this.#app = app
    this.#headers = headers
  }

  /** Returns the value of a cookie that was set. */
  cookie(name: string): string | undefined {
    return this.#cookies.get(name)
  }

  get(path: string): Promise<SeenPage> {
    return this.#go('GET', path)
  }

  /** Opens a page, fills in its form with that action and sends it. Field names that the form does not have fail the test. */
  async fill(
    path: string,
    values: Readonly<Record<string, string>>,
    action = path.split('?', 1)[0] ?? path,
  ): Promise<SeenPage> {
    return this.send(await this.get(path), values, action)
  }

  /** Sends a form of an open page. */
  async send(page: SeenPage, values: Readonly<Record<string, string>>, action: string): Promise<SeenPage> {
    const fields = page.form(action)
    for (const name of Object.keys(values)) assert.ok(name in fields, `the form ${action} has no field ${name}`)
    return this.post(action, { ...fields, ...values })
  }

  /** Signs in on the sign-in page. */
  async signIn({ email, password }: Pick<Person, 'email' | 'password'>): Promise<this> {
    const page = await this.fill('/login', { identifier: email, password })
    assert.equal(page.at, '/account', page.text)
    return this
  }

  /** Sends fields as one of our own forms would, whatever the page rendered. */
  post(
    path: string,
    fields: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = { 'sec-fetch-site': 'same-origin' },
  ): Promise<SeenPage> {
    return this.#go('POST', path, new URLSearchParams(fields).toString(), headers)
  }

  /** Sends a form with one file as a browser would. */
  async upload(path: string, fields: Readonly<Record<string, string>>, name: string, file: Uint8Array<ArrayBuffer>) {
    const form = new FormData()
    for (const [key, value] of Object.entries(fields)) if (key !== name) form.append(key, value)
    form.append(name, new Blob([file]), 'picture')
    const encoded = new Response(form)
    const type = encoded.headers.get('content-type') ?? ''
    return this.#go('POST', path, new Uint8Array(await encoded.arrayBuffer()), {
      'sec-fetch-site': 'same-origin',
      'content-type': type,
    })
  }

  async #go(
    method: string,
    path: string,
    body?: string | Uint8Array<ArrayBuffer>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<SeenPage> {
    const response = await this.#ask(method, path, body, headers)
    const location = response.headers.get('location')
    if (response.status === 303 && location !== null) {
      const next = new URL(location, origin)
      assert.equal(next.origin, origin, `a redirect leads away: ${location}`)
      return this.#go('GET', next.pathname + next.search)
    }
    return seen(response.status, path, response.headers, await response.text())
  }

  async #ask(
    method: string,
    path: string,
    body: string | Uint8Array<ArrayBuffer> | undefined,
    headers: Readonly<Record<string, string>>,
  ): Promise<Response> {
    const request = new Request(origin + path, {
      method,
      headers: {
        accept: 'text/html',
        'user-agent': 'visitor',
        'sec-fetch-dest': 'document',
        ...(this.#cookies.size > 0 && {
          cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        }),
        ...(body !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...this.#headers,
        ...headers,
      },
      ...(body !== undefined && { body }),
    })
    const response = await this.#app.composition.fetch(request, { peer: '192.0.2.7' })
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      if (/max-age=0/i.test(cookie)) this.#cookies.delete(name)
      else this.#cookies.set(name, value)
    }
    return response
  }
}

function seen(status: number, at: string, headers: Headers, html: string): SeenPage {
  const form = (action: string) => {
    const forms = [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)]
    const found = forms.find(([, attributes = '']) => attributes.includes(`action="${action}"`))
    assert.ok(found, `${at} (${status}) has no form ${action}`)
    return Object.fromEntries(
      [...(found[2] ?? '').matchAll(/<(?:input\b([^>]*)>|select\b([^>]*)>([\s\S]*?)<\/select>)/g)].flatMap(
        ([, input, select, options = '']) => {
          const attributes = input ?? select ?? ''
          const name = /\bname="([^"]*)"/.exec(attributes)?.[1]
          const valued = input ?? /<option\b([^>]*\bselected\b[^>]*)>/.exec(options)?.[1] ?? ''
          const value = isUnchecked(attributes) ? '' : decodeEntities(/\bvalue="([^"]*)"/.exec(valued)?.[1] ?? '')
          return name === undefined ? [] : [[name, value]] // fields without a name are not sent
        },
      ),
    )
  }
  const text = decodeEntities(html.replace(/<[^>]+>/g, ' ')).replace(/\s+/g, ' ')
  return { status, at, headers, html, text, form }
}

function isUnchecked(attributes: string): boolean {
  return /type="(?:checkbox|radio)"/.test(attributes) && !/\bchecked\b/.test(attributes)
}

function decodeEntities(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
}
