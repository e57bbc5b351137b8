import type { User } from '@gatelodge/client'
import { redirect } from '@sveltejs/kit'
import { cleanNext } from '#lib/server/next.ts'

/** For pages of people who are signed in: everybody else is led to the sign-in, and back afterwards. */
export function needUser({ user }: App.Locals, url: URL): User {
  if (user) return user
  redirect(303, `/login?next=${encodeURIComponent(url.pathname + url.search)}`)
}

/** For pages of strangers: whoever is signed in is led on. */
export function needStranger({ user }: App.Locals, url: URL): void {
  if (user) redirect(303, cleanNext(url.searchParams.get('next')))
}
