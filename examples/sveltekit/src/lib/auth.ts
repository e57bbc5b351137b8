import { createClient } from '@gatelodge/client'
import { goto } from '$app/navigation'
import { tell } from './toasts.svelte.ts'

/** A client of Gatelodge at the origin of the page. The session is in a cookie that scripts cannot read. */
export const auth = createClient()

export async function signOut(): Promise<void> {
  await auth.signOut()
  tell('You have signed out.')
  await goto('/', { refreshAll: true })
}
