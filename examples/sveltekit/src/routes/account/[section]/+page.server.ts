import { error, redirect } from '@sveltejs/kit'
import type { PageServerLoad } from './$types'

const sections = ['password', 'email', 'sessions']

/** Mails and password managers link to pages of Gatelodge, which are sections of one page in this app. */
export const load: PageServerLoad = ({ params }) => {
  if (!sections.includes(params.section)) error(404)
  redirect(303, `/account#${params.section}`)
}
