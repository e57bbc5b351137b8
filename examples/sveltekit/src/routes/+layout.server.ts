import type { LayoutServerLoad } from './$types'

/** Who is signed in, for all pages. It looks at the address, so that it runs again whenever that changes. */
export const load: LayoutServerLoad = ({ locals, url }) => {
  void url.href
  return { user: locals.user }
}
