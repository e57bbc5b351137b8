import { day, minute, second } from '../kernel/clock.ts'
import type { GrowingDelay } from './limits.ts'

/**
 * Delays failed sign-ins with one identifier, known or not; a stranger may be told of this delay. The identifiers of an account also delay it together, which
 * is never disclosed (`isDelayedTogether`). A known device has its own count, so that strangers cannot lock out its owner.
 */
export const signInDelay: GrowingDelay = {
  name: 'signin.account',
  free: 10,
  first: second,
  longest: 15 * minute,
  memory: day,
}
/** Delays wrong passwords in one session, or of a visitor with a sign-up link. */
export const passwordDelay: GrowingDelay = {
  name: 'password.account',
  free: 5,
  first: second,
  longest: 15 * minute,
  memory: day,
}
/**
 * Disables the password for a claimant after `free` wrong ones, until it is reset by email (NIST SP 800-63B-4, section 3.2.2). Causes no delay. See
 * `domain/claimants.ts`.
 */
export const passwordLockout: GrowingDelay = {
  name: 'password.stop',
  free: 100,
  first: 0,
  longest: 0,
  memory: 90 * day,
}
/** How many of its own failures a right password forgives: as many as cause no delay. More were hardly the owner's. */
export const forgivenBySuccess = signInDelay.free
