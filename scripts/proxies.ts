import { commandFolder } from '../packages/gatelodge/test/support/cli.ts'
import { smtpServer } from '../packages/gatelodge/test/support/smtp.ts'
import { checks, createVisit } from './proxies/checks.ts'
import { kinds, publicHost, startProxy } from './proxies/proxy.ts'

/**
 * Runs a real server behind each proxy of docs/guide/production.md that Debian packages, with the very snippet of the guide, and looks at what people
 * on the other side get: `node scripts/proxies.ts`, or with the names of some. All of it is on loopback. It needs the proxies on the PATH (Debian:
 * `apt-get install nginx caddy haproxy`), `openssl`, and a loopback of 127.0.0.0/8, as Linux has it.
 */
const longest = 240_000
setTimeout(() => {
  console.error(`Verdict: not done after ${longest} ms.`)
  process.exit(1)
}, longest).unref()

const named = process.argv.slice(2)
const results = []
for (const name of named.length > 0 ? named : Object.keys(kinds)) results.push(await behind(name))
const failed = results.flat().filter((ok) => !ok).length
console.log(failed === 0 ? 'Verdict: all checks passed.' : `Verdict: ${failed} checks FAILED.`)
process.exit(failed === 0 ? 0 : 1)

async function behind(name: string): Promise<boolean[]> {
  const smtp = await smtpServer()
  await using folder = commandFolder({
    GATELODGE_PUBLIC_URL: `https://${publicHost}`,
    GATELODGE_TRUSTED_PROXIES: '127.0.0.1',
    GATELODGE_SMTP_URL: `smtp://127.0.0.1:${smtp.smtp.port}?tls=never`,
    GATELODGE_LOG_LEVEL: 'warn',
  })
  const server = await folder.serve()
  const proxy = await startProxy(name, server.origin.replace('http://', ''))
  console.log(`${name} ${proxy.version}`)
  try {
    const visit = await createVisit(proxy, smtp)
    const passed = []
    for (const [claim, check] of Object.entries(checks)) {
      const failure = await check(visit).then(
        () => undefined,
        (error: unknown) => error,
      )
      console.log(`  ${failure === undefined ? 'ok  ' : 'FAIL'} ${claim}`)
      if (failure !== undefined) console.log(failure)
      passed.push(failure === undefined)
    }
    return passed
  } finally {
    await proxy.stop()
    await server.end()
    await smtp.close()
  }
}
