import { day, minute, second } from '../kernel/clock.ts'
import type { GrowingDelay } from './limits.ts'

/**
 * Failed sign-ins by one identifier, known or not, which is what a stranger may be told of; an account's identifiers delay it together, of which nobody is
 * told (`isDelayedTogether`). A known device has a count of its own, so that strangers cannot lock its owner out.
 */
export const signInDelay: GrowingDelay = {
  name: 'signin.account',
  free: 10,
  first: second,
  longest: 15 * minute,
  memory: day,
}
/** Wrong passwords in one session, or of somebody who holds a sign-up link. */
export const passwordDelay: GrowingDelay = {
  name: 'password.account',
  free: 5,
  first: second,
  longest: 15 * minute,
  memory: day,
}
/**
 * Wrong passwords of one claimant: at `free` the password is off for it until it is reset by mail (NIST SP 800-63B-4, 3.2.2). Nothing is delayed by it. See
 * `domain/claimants.ts`.
 */
export const passwordLockout: GrowingDelay = {
  name: 'password.stop',
  free: 100,
  first: 0,
  longest: 0,
  memory: 90 * day,
}
/** So many failures of its own count a right password takes back, as many as cost no wait: more were hardly the owner's. */
export const forgivenBySuccess = signInDelay.free
