import { type CommandFolder, commandFolder, type ServerProcess } from '../../packages/gatelodge/test/support/cli.ts'
import { type SmtpTestServer, smtpServer } from '../../packages/gatelodge/test/support/smtp.ts'
import { publicHost, type RunningProxy, startProxy } from './proxy.ts'
import { type Site, startSite } from './site.ts'

/** The programs that run during the checks. */
export interface Stage {
  readonly proxy: RunningProxy
  readonly smtp: SmtpTestServer
  readonly server: ServerProcess
  readonly folder: CommandFolder
  /** The site behind the proxy, in addition to the server. */
  readonly site: Site
}

interface Play<Visit> {
  /** The proxies to run, unless others are named on the command line. */
  readonly names: readonly string[]
  /** What must hold behind every proxy, in the order in which it is checked. */
  readonly checks: Readonly<Record<string, (visit: Visit) => Promise<void>>>
  readonly open: (stage: Stage) => Promise<Visit>
  readonly guardsSite: boolean
}

const longest = 240_000

/** Runs a real server behind each proxy, prints what held, and exits with the verdict. */
export async function play<Visit>({ names, checks, open, guardsSite }: Play<Visit>): Promise<never> {
  setTimeout(() => {
    console.error(`Verdict: not done after ${longest} ms.`)
    process.exit(1)
  }, longest).unref()

  const named = process.argv.slice(2)
  const failures: string[] = []
  for (const name of named.length > 0 ? named : names) {
    await using stage = await setUp(name, guardsSite)
    console.log(`${name} ${stage.proxy.version}`)
    const visit = await open(stage)
    for (const [claim, check] of Object.entries(checks)) {
      const failure = await check(visit).then(
        () => undefined,
        (error: unknown) => error,
      )
      console.log(`  ${failure === undefined ? 'ok  ' : 'FAIL'} ${claim}`)
      if (failure === undefined) continue
      console.log(failure)
      failures.push(claim)
    }
  }
  console.log(failures.length === 0 ? 'Verdict: all checks passed.' : `Verdict: ${failures.length} checks FAILED.`)
  process.exit(failures.length === 0 ? 0 : 1)
}

async function setUp(name: string, guardsSite: boolean): Promise<Stage & AsyncDisposable> {
  await using made = new AsyncDisposableStack()
  const smtp = await smtpServer()
  made.defer(smtp.close)
  const folder = made.use(
    commandFolder({
      GATELODGE_PUBLIC_URL: `https://${publicHost}`,
      GATELODGE_TRUSTED_PROXIES: '127.0.0.1',
      GATELODGE_SMTP_URL: `smtp://127.0.0.1:${smtp.smtp.port}?tls=never`,
      GATELODGE_LOG_LEVEL: 'warn',
    }),
  )
  const server = await folder.serve()
  const site = await startSite()
  made.defer(site.close)
  const proxy = await startProxy(name, server.origin.replace('http://', ''), guardsSite ? site.address : undefined)
  made.defer(proxy.stop)

  const ended = made.move()
  return { proxy, smtp, server, folder, site, [Symbol.asyncDispose]: () => ended.disposeAsync() }
}
