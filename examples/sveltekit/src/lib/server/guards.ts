import type { User } from '@gatelodge/client'
import { redirect } from '@sveltejs/kit'
import { cleanNext } from '#lib/server/next.ts'

/** For pages of signed-in users: redirects visitors to the sign-in page, and back afterwards. */
export function needUser({ user }: App.Locals, url: URL): User {
  if (user) return user
  redirect(303, `/login?next=${encodeURIComponent(url.pathname + url.search)}`)
}

/** For pages of visitors: redirects signed-in users. */
export function needStranger({ user }: App.Locals, url: URL): void {
  if (user) redirect(303, cleanNext(url.searchParams.get('next')))
}
