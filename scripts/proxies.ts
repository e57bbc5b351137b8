import { checks, createVisit } from './proxies/checks.ts'
import { kinds } from './proxies/proxy.ts'
import { play } from './proxies/run.ts'

/**
 * Runs a real server behind each proxy of docs/guide/production.md that Debian packages, with the very snippet of the guide, and looks at what people
 * on the other side get: `node scripts/proxies.ts`, or with the names of some. All of it is on loopback. It needs the proxies on the PATH (Debian:
 * `apt-get install nginx caddy haproxy`), `openssl`, and a loopback of 127.0.0.0/8, as Linux has it.
 */
await play({
  names: Object.keys(kinds),
  checks,
  open: ({ proxy, smtp }) => createVisit(proxy, smtp),
  guardsSite: false,
})
