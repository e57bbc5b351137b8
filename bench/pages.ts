import { compose } from '../packages/gatelodge/src/compose.ts'
import { readConfig } from '../packages/gatelodge/src/config.ts'
import type { Log } from '../packages/gatelodge/src/kernel/log.ts'

// Measures the gain of rendering a page only once for requests without state: the sign-in page, with and without a cookie that is not ours.
const rounds = 9
const answers = 4_000
const quiet = () => {}
const log: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet }
const env = { GATELODGE_DATABASE: 'sqlite::memory:', GATELODGE_PUBLIC_URL: 'http://localhost:3000' }
const { config } = readConfig({ env, flags: {}, readFile: () => '' })
const { fetch, close } = await compose({ config, secret: 'a secret of the bench, long enough to be one', log })

const ways = { 'printed once and kept': {}, 'printed each time': { cookie: 'theme=dark' } }
const figures = new Map<string, number[]>()
for (let round = 0; round <= rounds; round += 1)
  for (const [name, headers] of Object.entries(ways)) {
    const cost = await costOf(headers)
    if (round > 0) figures.set(name, [...(figures.get(name) ?? []), cost]) // one warm-up round precedes them
  }
for (const [name, all] of figures)
  console.log(`${name}: ${all.toSorted((a, b) => a - b)[rounds >> 1]?.toFixed(1)} µs for each answer`)
await close()
process.exit()

/** Returns the µs of processor time for one answer, without HTTP. */
async function costOf(headers: Readonly<Record<string, string>>): Promise<number> {
  const begin = process.cpuUsage()
  for (let index = 0; index < answers; index += 1) {
    const response = await fetch(new Request('http://localhost:3000/login', { headers }), { peer: '192.0.2.1' })
    if (response.status !== 200) throw new Error(`the page answers ${response.status}`)
    await response.text()
  }
  const { user, system } = process.cpuUsage(begin)
  return (user + system) / answers
}
