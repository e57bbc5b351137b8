import type { LayoutServerLoad } from './$types'

/** Loads the signed-in user for all pages. Reads the URL, so that it runs again on every navigation. */
export const load: LayoutServerLoad = ({ locals, url }) => {
  void url.href
  return { user: locals.user }
}
