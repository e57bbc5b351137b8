import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { type CommandFolder, commandFolder, type ServerProcess } from './cli.ts'
import { type ReceivedMail, type SmtpTestServer, smtpServer } from './smtp.ts'
import { until } from './until.ts'

/** Opens headless Chromium: from npm on Linux x64, elsewhere the one that `CHROMIUM_PATH` names. */
export async function launchBrowser(...flags: string[]): Promise<Browser> {
  const given = process.env.CHROMIUM_PATH
  if (given !== undefined) return chromium.launch({ executablePath: given, args: flags })

  const isPacked = process.platform === 'linux' && process.arch === 'x64'
  assert.ok(isPacked, 'set CHROMIUM_PATH to a Chromium or Chrome: the one of npm is for Linux x64 only')
  const { default: packed } = await import('@sparticuz/chromium')
  const args = packed.args.filter((argument) => !laxArguments.includes(argument))
  return chromium.launch({ executablePath: await packed.executablePath(), args: [...args, ...flags] })
}

/**
 * Flags to remove. In single-process mode, closing a context would close the browser; the others let a page of any origin read all responses. Real browsers
 * have neither.
 */
const laxArguments = [
  '--single-process',
  '--disable-web-security',
  '--allow-running-insecure-content',
  '--disable-site-isolation-trials',
]

/** A server in a separate process that sends emails to a real inbox. */
export interface Site {
  /** The public URL of its pages. */
  readonly origin: string
  readonly server: ServerProcess
  readonly inbox: SmtpTestServer
  readonly folder: CommandFolder
  /** Returns the link to this path in the newest email to an address; waits for the email. */
  linkTo(address: string, path: string): Promise<string>
  /** Does the same for the email that `act` causes. */
  nextLinkTo(address: string, path: string, act: () => Promise<void>): Promise<string>
  /** Returns the newest email to an address whose links lead to this path. */
  mailTo(address: string, path: string): Promise<ReceivedMail>
  [Symbol.asyncDispose](): Promise<void>
}

/** Starts a server on a free port unless flags of `serve` say otherwise. `program` selects another build. */
export async function openSite(
  env: Readonly<Record<string, string>> = {},
  program?: string,
  ...flags: string[]
): Promise<Site> {
  await using opening = new AsyncDisposableStack() // a server that fails to start must not leave its inbox open
  const inbox = opening.adopt(await smtpServer(), (opened) => opened.close())
  const folder = opening.use(
    commandFolder({ GATELODGE_SMTP_URL: `smtp://127.0.0.1:${inbox.smtp.port}`, ...env }, program),
  )
  const server = await folder.serve(...flags)
  const mailsTo = (address: string, path: string) =>
    inbox.received.filter(
      ({ recipients, parsed }) => recipients.includes(address) && linkIn(parsed.text, path) !== undefined,
    )
  const site: Site = {
    origin: server.started.url,
    server,
    inbox,
    folder,
    async mailTo(address, path) {
      await until(() => mailsTo(address, path).length > 0)
      return mailsTo(address, path).at(-1) as ReceivedMail
    },
    async nextLinkTo(address, path, act) {
      const before = mailsTo(address, path).length
      await act()
      await until(() => mailsTo(address, path).length > before)
      return site.linkTo(address, path)
    },
    async linkTo(address, path) {
      const { parsed } = await site.mailTo(address, path)
      return linkIn(parsed.text, path) ?? ''
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
  const opened = opening.move()
  return site
}

function linkIn(text: string | undefined, path: string): string | undefined {
  return [...(text ?? '').matchAll(/https?:\/\/\S+/g)]
    .map(([link]) => link)
    .find((link) => URL.parse(link)?.pathname === path)
}

/** A user at a page. Faults in the browser are collected, and `assertClean` fails on them. */
export interface Sitting {
  readonly page: Page
  /** Opens a path and returns its status. */
  open(path: string): Promise<number>
  /** Fills in fields by name in the form with this action; file fields take a path. */
  fill(action: string, values: Readonly<Record<string, string>>): Promise<void>
  /** Presses the button of the form with this action, and waits for the next page. */
  send(action: string, values?: Readonly<Record<string, string>>): Promise<void>
  path(): string
  /** Fails if a request left the origin, or the console or the content security policy complained, except for messages that match `meant`. */
  assertClean(meant?: RegExp): void
  [Symbol.asyncDispose](): Promise<void>
}

/** Opens a fresh browser profile: no cookies, no cache. */
export async function openBrowser(
  browser: Browser,
  site: Pick<Site, 'origin'>,
  options: BrowserContextOptions = {},
): Promise<Sitting> {
  const context = await browser.newContext({ baseURL: site.origin, ...options })
  context.setDefaultTimeout(30_000)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url())
    if (origin !== site.origin && protocol !== 'data:') complaints.push(`a request to ${request.url()}`)
  })
  page.on('response', (response) => {
    const isPage = response.request().resourceType() === 'document'
    if (response.status() >= (isPage ? 500 : 400)) complaints.push(`${response.status()} ${response.url()}`)
  })
  page.on('requestfailed', (request) => {
    // A download aborts the navigation that requested it.
    if (request.failure()?.errorText !== 'net::ERR_ABORTED') complaints.push(`failed: ${request.url()}`)
  })
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`))
  page.on('console', (message) => {
    // Chromium reports this for every page whose status is not 2xx; the responses are checked above.
    const isComplaint = ['error', 'warning'].includes(message.type())
    if (isComplaint && !/^Failed to load resource/.test(message.text())) complaints.push(`console: ${message.text()}`)
  })

  const formOf = (action: string) => page.locator(`form[action="${action}"]`)
  const sitting: Sitting = {
    page,
    async open(path) {
      return (await page.goto(path))?.status() ?? 0
    },
    async fill(action, values) {
      for (const [name, value] of Object.entries(values)) {
        const field = formOf(action).locator(`[name="${name}"]`)
        const kind = await field.getAttribute('type')
        if (kind === 'checkbox') await field.setChecked(value === 'on')
        else if (kind === 'file') await field.setInputFiles(value)
        else if (kind === null) await field.selectOption(value)
        else await field.fill(value)
      }
    },
    async send(action, values = {}) {
      await sitting.fill(action, values)
      const next = page.waitForEvent('domcontentloaded')
      await formOf(action).locator('button[type=submit]').first().click()
      await next
      await page.waitForLoadState('load')
    },
    path() {
      const { pathname, search } = new URL(page.url())
      return pathname + search
    },
    assertClean: (meant) =>
      assert.deepEqual(
        complaints.filter((complaint) => !meant?.test(complaint)),
        [],
      ),
    [Symbol.asyncDispose]: () => context.close(),
  }
  return sitting
}

/** Returns how much of the page moved without user input after it was first painted (CLS). */
export function layoutShift(page: Page): Promise<number> {
  return page.evaluate<number>(`new Promise((resolve) => {
    let sum = 0
    new PerformanceObserver((list) => {
      for (const { hadRecentInput, value } of list.getEntries()) if (!hadRecentInput) sum += value
    }).observe({ type: 'layout-shift', buffered: true })
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve(sum))))
  })`)
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Violation {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[]
}

/** Returns what axe-core finds serious or critical on a page, one line per place. */
export async function seriousFaults(page: Page): Promise<string[]> {
  if (!(await page.evaluate<boolean>('"axe" in globalThis'))) await page.evaluate(axe)
  const violations = await page.evaluate<readonly Violation[]>(
    'axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations)',
  )
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`))
}
