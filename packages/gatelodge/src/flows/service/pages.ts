import { z } from 'zod'
import { type Route, route } from '../../http/route.ts'
import { safeRedirect } from '../../http/safe-redirect.ts'
import { languages } from '../../kernel/languages.ts'
import { redirectAnswer } from '../../pages/page-context.ts'

const aYear = 365 * 24 * 60 * 60

export const servicePages: readonly Route[] = [
  route({
    method: 'GET',
    path: '/',
    surface: 'page',
    summary: 'Go to the account page or the sign-in page',
    access: { by: ['anyone', 'session'] },
    origin: 'read',
    limit: 'none',
    answers: { 303: { description: 'Redirects to the page', schema: null } },
    errors: [],
    handle: (deps, { me, cookies }) => redirectAnswer(deps, { cookies }, me ? '/account' : '/login'),
  }),

  // The Well-Known URL for Changing Passwords (W3C): password managers send users here.
  route({
    method: 'GET',
    path: '/.well-known/change-password',
    surface: 'page',
    summary: 'Go to the page that changes a password',
    access: { by: ['anyone'] },
    origin: 'read',
    limit: 'none',
    answers: { 303: { description: 'Redirects to the page', schema: null } },
    errors: [],
    handle: (deps, { cookies }) => redirectAnswer(deps, { cookies }, '/account/password'),
  }),

  route({
    method: 'POST',
    path: '/language',
    surface: 'page',
    summary: 'Choose the language of the pages',
    access: { by: ['anyone', 'session'] },
    origin: 'form',
    limit: 'none',
    body: z.strictObject({ language: z.enum(languages), next: z.string().optional() }),
    answers: { 303: { description: 'Redirects back to the page', schema: null } },
    errors: [],
    handle: (deps, { body, cookies }) =>
      redirectAnswer(deps, { cookies }, safeRedirect(deps.config, body.next, '/'), undefined, [
        cookies.language.set(body.language, aYear),
      ]),
  }),
]
