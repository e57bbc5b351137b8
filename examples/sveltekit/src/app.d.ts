import type { User } from '@gatelodge/client'

declare global {
  namespace App {
    interface Locals {
      /** Who sent this request, as Gatelodge says; null for nobody. */
      user: User | null
    }
  }
}
