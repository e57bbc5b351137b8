import { trimBlanks } from '../kernel/wire-text.ts'

/** The names and attributes of our cookies, derived from the public URL. */
export interface CookieJar {
  readonly session: Cookie
  readonly device: Cookie
  readonly signUp: Cookie
  /** The language chosen on a page. */
  readonly language: Cookie
  /** Binds forms of visitors who are not signed in. */
  readonly form: Cookie
  /** A sealed message for the next page. */
  readonly flash: Cookie
  /** The sealed token of an emailed link, once the link has left the address bar. */
  readonly link: Cookie
  /** The sealed ticket of a sign-in that needs another step. */
  readonly ticket: Cookie
}

export interface Cookie {
  readonly name: string
  /** Returns the cookie's value from a Cookie header. */
  read(header: string | undefined): string | undefined
  /** Returns a Set-Cookie value. Without `maxAge` (in seconds), the cookie is deleted when the browser closes. */
  set(value: string, maxAge?: number): string
  /** Returns a Set-Cookie value that deletes the cookie. */
  clear(): string
}

/** Creates the jar: `__Host-` cookies over https; over plain http the same names without the prefix and without Secure. */
export function createCookieJar(publicUrl: string): CookieJar {
  const secure = publicUrl.startsWith('https:')
  return {
    session: cookie('gatelodge', secure),
    device: cookie('gatelodge-device', secure),
    signUp: cookie('gatelodge-signup', secure),
    language: cookie('gatelodge-language', secure),
    form: cookie('gatelodge-form', secure),
    flash: cookie('gatelodge-flash', secure),
    link: cookie('gatelodge-link', secure),
    ticket: cookie('gatelodge-ticket', secure),
  }
}

function cookie(baseName: string, secure: boolean): Cookie {
  const name = secure ? `__Host-${baseName}` : baseName
  const attributes = `; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
  const prefix = `${name}=`

  return {
    name,
    read: (header) => readCookie(header, prefix),
    set: (value, maxAge) =>
      `${prefix}${value}${attributes}${maxAge === undefined ? '' : `; Max-Age=${Math.floor(maxAge)}`}`,
    clear: () => `${prefix}${attributes}; Max-Age=0`,
  }
}

function readCookie(header: string | undefined, prefix: string): string | undefined {
  if (header === undefined) return undefined
  for (const part of header.split(';')) {
    const pair = trimBlanks(part)
    if (pair.startsWith(prefix)) return pair.slice(prefix.length)
  }
  return undefined
}
