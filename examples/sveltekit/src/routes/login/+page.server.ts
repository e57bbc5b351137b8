import { needStranger } from '#lib/server/guards.ts'
import type { PageServerLoad } from './$types'

export const load: PageServerLoad = ({ locals, url }) => needStranger(locals, url)
