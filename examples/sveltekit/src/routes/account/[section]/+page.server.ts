import { error, redirect } from '@sveltejs/kit'
import type { PageServerLoad } from './$types'

const sections = ['password', 'email', 'sessions']

/** Mails and password managers lead to pages that Gatelodge has; here they are sections of one page. */
export const load: PageServerLoad = ({ params }) => {
  if (!sections.includes(params.section)) error(404)
  redirect(303, `/account#${params.section}`)
}
