import type { Deps } from '../domain/deps.ts'
import type { LiveSession } from '../domain/session-cache.ts'
import type { CookieJar } from '../http/cookies.ts'
import { formToken } from '../http/form-token.ts'
import type { Answer } from '../http/route.ts'
import type { Actor } from '../kernel/actor.ts'
import { newId } from '../kernel/ids.ts'
import { type Language, languages } from '../kernel/languages.ts'
import type { Html } from './html.ts'
import { page } from './layout.ts'

/** What a page knows about the request. Every route context and every failed request satisfies it. */
export interface PageContext {
  readonly actor: Actor
  readonly cookies: CookieJar
  readonly header: (name: string) => string | undefined
  readonly me: LiveSession | undefined
  readonly path: string
}

/** The content of a page. */
export interface PageContent {
  readonly title: string
  readonly body: Html
  readonly wide?: boolean
  /** The page that the language switcher returns to; the path without its query if absent. */
  readonly here?: string
}

/** Returns the language of a request's reader. */
export function languageOfReader(context: Pick<PageContext, 'actor'>): Language {
  return context.actor.language ?? languages[0]
}

/** What the function that renders a page receives. */
export interface PageView {
  readonly language: Language
  /** The hidden field that every form on the page carries. */
  readonly formToken: string
}

/** Renders a page in its frame: the reader's language, the signed-in user, and the message of a redirect, shown once. */
export function pageAnswer(
  deps: Deps,
  context: PageContext,
  content: (view: PageView) => PageContent,
  status = 200,
): Answer {
  const { token, cookie } = tokenForForms(deps, context)
  const flash = readFlash(deps, context)
  const html = printPage(deps, context, content, token, flash)
  const cookies = [...(cookie ? [cookie] : []), ...(flash === undefined ? [] : [context.cookies.flash.clear()])]
  return { status, html, cookies }
}

/** The parts before and after the form token of pages that were rendered before, by path and language. */
const keptPages = new WeakMap<Deps, Map<string, readonly string[]>>()

/**
 * Renders the same page for a request that carries nothing: no cookie, no credential and, as the caller guarantees, nothing in the URL. Apart from the form
 * token it depends on path and language only, so it is rendered once and cached: `node bench/pages.ts` measures the gain.
 */
export function plainPageAnswer(deps: Deps, context: PageContext, content: (view: PageView) => PageContent): Answer {
  if (context.me || context.header('cookie') !== undefined) return pageAnswer(deps, context, content)

  const { token, cookie } = tokenForForms(deps, context)
  const html = partsOfPlainPage(deps, context, content).join(token)
  return { status: 200, html, cookies: cookie ? [cookie] : [] }
}

function partsOfPlainPage(
  deps: Deps,
  context: PageContext,
  content: (view: PageView) => PageContent,
): readonly string[] {
  const key = `${languageOfReader(context)} ${context.path}`
  const kept = keptPages.get(deps) ?? new Map<string, readonly string[]>()
  const known = kept.get(key)
  if (known) return known

  const mark = newId(deps.random)
  const parts = printPage(deps, context, content, mark).split(mark)
  keptPages.set(deps, kept.set(key, parts))
  return parts
}

function printPage(
  deps: Deps,
  context: PageContext,
  content: (view: PageView) => PageContent,
  formToken: string,
  flash?: Flash,
): string {
  const language = languageOfReader(context)
  const { here = context.path, ...said } = content({ language, formToken })
  const frame = { path: here, isSignedIn: context.me !== undefined, formToken, flash }
  return page({ ...said, theme: deps.theme, language, frame })
}

/** A message shown once, after a redirect. `copy` is a text for the user to copy. */
export interface Flash {
  readonly text: string
  readonly copy?: string
}

/** Redirects to another page (post, redirect, get), which shows `message` once. */
export function redirectAnswer(
  deps: Deps,
  context: Pick<PageContext, 'cookies'>,
  location: string,
  message?: string | Flash,
  cookies: readonly string[] = [],
): Answer {
  if (message === undefined) return { status: 303, location, cookies }
  // Sealed, so that no one else can put text on our pages.
  const flash: Flash = typeof message === 'string' ? { text: message } : message
  const sealed = deps.keyring.seal('flash', JSON.stringify(flash), 'json')
  return { status: 303, location, cookies: [...cookies, context.cookies.flash.set(sealed, 60)] }
}

function readFlash(deps: Deps, context: PageContext): Flash | undefined {
  const sealed = context.cookies.flash.read(context.header('cookie'))
  const text = sealed === undefined ? undefined : deps.keyring.open('flash', sealed, 'json')
  return text === undefined ? undefined : (JSON.parse(text) as Flash) // no one else can seal one
}

/** Returns the token for the forms of a page. The browser of a visitor who is not signed in gets a cookie to bind it to. */
function tokenForForms(deps: Deps, context: PageContext): { token: string; cookie?: string } {
  if (context.me) return { token: formToken(deps.keyring, context.me, '') }

  const known = context.cookies.form.read(context.header('cookie'))
  const browser = known !== undefined && /^[\w-]{22}$/.test(known) ? known : newId(deps.random)
  const token = formToken(deps.keyring, undefined, browser)
  return browser === known ? { token } : { token, cookie: context.cookies.form.set(browser) }
}
