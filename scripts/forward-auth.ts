import { guardChecks, openGuarded } from './proxies/guard-checks.ts'
import { kinds } from './proxies/proxy.ts'
import { play } from './proxies/run.ts'

/**
 * Runs a site without sign-in behind each proxy of docs/guide/forward-auth.md that Debian packages, guarded by the very snippets of that guide and of
 * docs/guide/production.md, and tries to get in: `node scripts/forward-auth.ts`, optionally with the names of some proxies. It needs what scripts/proxies.ts
 * needs.
 */
await play({ names: Object.keys(kinds), checks: guardChecks, open: openGuarded, guardsSite: true })
