import { AuthError } from '../kernel/errors.ts'
import type { Principal } from '../kernel/principal.ts'
import type { Deps } from './deps.ts'

/**
 * Throws unless the caller has proved their identity within the reauthentication window. Only sessions record a proof.
 * @throws reauthentication_required
 */
export function assertFresh({ clock, config }: Deps, principal: Principal | null | undefined): void {
  if (principal?.kind !== 'session') throw new AuthError('reauthentication_required')

  const age = Math.abs(clock.now() - principal.authenticatedAt) // a clock that was set back must not extend the window
  if (age > config.reauthenticationWindow) throw new AuthError('reauthentication_required')
}
