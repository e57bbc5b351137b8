import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { blocksOf, markdownSection } from '../../packages/gatelodge/test/support/markdown.ts'
import { freePort } from '../../packages/gatelodge/test/support/postgres.ts'

/** The host name that the snippets of the guide serve. */
export const publicHost = 'auth.example.com'

/** A proxy that was started with the snippet of the guide. */
export interface RunningProxy {
  readonly name: string
  readonly version: string
  /** Its loopback port, which speaks TLS. */
  readonly port: number
  /** Its self-signed certificate, in PEM. */
  readonly certificate: string
  /** Returns whether its process is still running. */
  isUp(): boolean
  stop(): Promise<void>
}

/** The values that differ between machines. */
interface Place {
  readonly folder: string
  readonly port: number
  /** The address of the server behind it. */
  readonly upstream: string
  readonly certificate: string
  readonly key: string
  /** Certificate and key in one file. */
  readonly pem: string
}

interface Kind {
  readonly version: readonly string[]
  /** Adds the forward-auth snippet, once for the site and once for `/wiki/api/`, which programs call and which must not redirect to a page. */
  readonly guarded: (snippet: string, guards: readonly string[], place: Place) => string
  /** Makes the snippet run here: only ports and paths are replaced, and the settings of its main file are added around it. */
  readonly configuration: (snippet: string, place: Place) => string
  readonly start: (file: string) => readonly string[]
}

/** The proxies of the guide that Debian packages, by the heading of their section. */
export const kinds: Readonly<Record<string, Kind>> = {
  nginx: {
    version: ['nginx', '-v'],
    guarded: (snippet, [guard = '']) => {
      const pages = found(guard, /^ {4}location \/wiki\/ \{.*?^ {4}\}$/ms)
      const programs = replaced(pages, { '/wiki/': '/wiki/api/', 'error_page 401 = /_sign-in;': '' })
      return replaced(snippet, { '    location / {': `${guard}\n${programs}\n    location / {` })
    },
    configuration: (snippet, { folder, port, upstream, certificate, key }) => {
      const site = replaced(snippet, {
        'listen 443 ssl': `listen 127.0.0.1:${port} ssl`,
        '127.0.0.1:3000': upstream,
        '/etc/ssl/auth.example.com.pem': certificate,
        '/etc/ssl/auth.example.com.key': key,
      })
      const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (kind) => `${kind}_temp_path ${join(folder, kind)};`,
      )
      return `daemon off; pid ${join(folder, 'pid')}; error_log stderr; events {} http { access_log off; ${folders.join(' ')}\n${site}}`
    },
    start: (file) => ['nginx', '-e', 'stderr', '-c', file],
  },
  Caddy: {
    version: ['caddy', 'version'],
    guarded: (snippet, [guard = '']) => {
      const pages = found(guard, /^\thandle \/wiki\/\* \{.*?^\t\}$/ms)
      const programs = replaced(pages, { '/wiki/*': '/wiki/api/*', 'redirect&': '' })
      const rest = '\treverse_proxy 127.0.0.1:3000'
      return replaced(snippet, { [rest]: `${guard}\n${programs}\n${rest}` })
    },
    configuration: (snippet, { port, upstream, certificate, key }) => {
      const site = replaced(snippet, {
        [`${publicHost} {`]: `${publicHost}:${port} {\n\tbind 127.0.0.1\n\ttls ${certificate} ${key}`,
        '127.0.0.1:3000': upstream,
      })
      return `{\n\tadmin off\n\tauto_https disable_redirects\n\tlog {\n\t\tlevel ERROR\n\t}\n}\n${site}`
    },
    start: (file) => ['caddy', 'run', '--config', file, '--adapter', 'caddyfile'],
  },
  HAProxy: {
    version: ['haproxy', '-v'],
    guarded: (snippet, [script = '', main = '', rules = '', backend = ''], { folder, upstream }) => {
      const file = join(folder, 'gatelodge.lua')
      writeFileSync(file, replaced(script, { '127.0.0.1:3000': upstream }))
      const pages = found(rules, /^ {4}http-request lua\.gatelodge .*\n/m)
      const programs = replaced(pages, { 'redirect&': '', 'if wiki !open': 'if programs' })
      const both = `    acl programs path_beg /wiki/api/\n${programs}${replaced(pages, { '!open': '!open !programs' })}`
      const rest = '    default_backend'
      const open = replaced(snippet, { [rest]: `${replaced(rules, { [pages]: both })}\n${rest}` })
      return `${replaced(main, { '/etc/haproxy/gatelodge.lua': file })}\n${open}\n${backend}`
    },
    configuration: (snippet, { port, upstream, pem }) =>
      replaced(snippet, {
        'bind :443': `bind 127.0.0.1:${port}`,
        '127.0.0.1:3000': upstream,
        '/etc/haproxy/auth.example.com.pem': pem,
      }),
    start: (file) => ['haproxy', '-db', '-q', '-f', file],
  },
}

/**
 * Starts a proxy of the guide on loopback, in front of the server at `upstream`, with a certificate created for this run. If a site is given, the proxy guards
 * it as the guide on forward-auth describes.
 */
export async function startProxy(name: string, upstream: string, site?: string): Promise<RunningProxy> {
  const kind = kinds[name]
  if (!kind) throw new Error(`no proxy ${name}`)

  const place = await makePlace(upstream)
  const file = join(place.folder, 'configuration')
  const [open] = snippetsOf('production', name)
  const snippet = site === undefined ? open : kind.guarded(open, snippetsOf('forward-auth', name), place)
  const configuration = kind.configuration(snippet, place)
  writeFileSync(file, site === undefined ? configuration : replaced(configuration, { '127.0.0.1:4000': site }))
  const [program = '', ...argv] = kind.start(file)
  const child = spawn(program, argv, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, HOME: place.folder, XDG_DATA_HOME: place.folder, XDG_CONFIG_HOME: place.folder },
  })
  const endWithUs = () => child.kill('SIGKILL')
  process.once('exit', endWithUs)

  return {
    name,
    version: versionOf(kind),
    port: place.port,
    certificate: readFileSync(place.certificate, 'utf8'),
    isUp: () => child.exitCode === null && child.signalCode === null,
    async stop() {
      await end(child)
      process.off('exit', endWithUs)
      rmSync(place.folder, { recursive: true })
    },
  }
}

function snippetsOf(page: string, heading: string): [string, ...string[]] {
  const text = readFileSync(fileURLToPath(new URL(`../../docs/guide/${page}.md`, import.meta.url)), 'utf8')
  const [first, ...others] = blocksOf(markdownSection(text, heading)).map(({ body }) => body)
  if (first === undefined) throw new Error(`the guide has no snippet for ${heading}`)
  return [first, ...others]
}

function found(text: string, pattern: RegExp): string {
  const [match] = pattern.exec(text) ?? []
  if (match === undefined) throw new Error(`the snippet has no ${pattern}`)
  return match
}

function replaced(text: string, replacements: Readonly<Record<string, string>>): string {
  let result = text
  for (const [from, to] of Object.entries(replacements)) {
    if (!result.includes(from)) throw new Error(`the snippet has no ${from}`)
    result = result.replaceAll(from, to)
  }
  return result
}

async function makePlace(upstream: string): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'gatelodge-proxy-'))
  chmodSync(folder, 0o755) // nginx workers run as another user
  const [certificate, key, pem] = ['certificate.pem', 'key.pem', 'both.pem'].map((file) => join(folder, file))
  if (!certificate || !key || !pem) throw new Error('three paths make three')
  const names = ['-subj', `/CN=${publicHost}`, '-addext', `subjectAltName=DNS:${publicHost}`]
  const form = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  execFileSync('openssl', [...form, ...names, '-keyout', key, '-out', certificate], { stdio: 'pipe' })
  writeFileSync(pem, readFileSync(certificate, 'utf8') + readFileSync(key, 'utf8'), { mode: 0o600 })
  mkdirSync(join(folder, 'caddy'))
  return { folder, port: await freePort(), upstream, certificate, key, pem }
}

/** Returns the version number in the first line that a program prints about itself; nginx prints it to standard error. */
function versionOf({ version: [program = '', ...argv] }: Kind): string {
  const said = execFileSync('sh', ['-c', '"$@" 2>&1', 'sh', program, ...argv], { encoding: 'utf8' })
  return /\d+\.\d+\.\d+/.exec(said)?.[0] ?? 'of an unknown version'
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return

  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const giveUp = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await gone
  clearTimeout(giveUp)
}
