import { checks, createVisit } from './proxies/checks.ts'
import { kinds } from './proxies/proxy.ts'
import { play } from './proxies/run.ts'

/**
 * Runs a real server behind each proxy of docs/guide/production.md that Debian packages, configured with the guide's snippet, and checks what clients on the
 * other side get: `node scripts/proxies.ts`, optionally with the names of some proxies. Everything runs on loopback. It needs the proxies on the PATH (Debian:
 * `apt-get install nginx caddy haproxy`), `openssl`, and a 127.0.0.0/8 loopback, as on Linux.
 */
await play({
  names: Object.keys(kinds),
  checks,
  open: ({ proxy, smtp }) => createVisit(proxy, smtp),
  guardsSite: false,
})
