import type { User } from '@gatelodge/client'

declare global {
  namespace App {
    interface Locals {
      /** The user who sent this request, as reported by Gatelodge; null if no user is signed in. */
      user: User | null
    }
  }
}
