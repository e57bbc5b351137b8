import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type ConsumerFolder, consumerFolder } from '../../packages/gatelodge/test/support/packed.ts'
import { freePort } from '../../packages/gatelodge/test/support/postgres.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const run = promisify(execFile)

/** The example with SvelteKit as somebody has it who copied it, checked and built there. */
export interface FrontEndBuild extends ConsumerFolder {
  /** What the type check said. */
  readonly checked: string
}

/** Copies, checks and builds it in a fresh folder, with the packed packages and no source of ours. @throws what a failed step printed */
export async function buildFrontEnd(): Promise<FrontEndBuild> {
  const example = 'examples/sveltekit'
  const source = join(root, example)
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'))
  const names = ['gatelodge', ...Object.keys({ ...dependencies, ...devDependencies })]
  const folder = await consumerFolder(names, example)
  const left = /\/(?:node_modules|\.svelte-kit|build)(?:\/|$)/
  cpSync(source, folder.path, { recursive: true, filter: (file) => !left.test(file.slice(source.length)) })

  const tool = (file: string, ...argv: string[]) =>
    run(process.execPath, [join(folder.path, 'node_modules', file), ...argv], { cwd: folder.path }).catch((error) => {
      throw new Error(`${file}: ${error.stdout}${error.stderr}`)
    })
  await tool('@sveltejs/kit/svelte-kit.js', 'sync')
  // One after the other: a build writes the types anew that the check reads.
  const { stdout: checked } = await tool('svelte-check/bin/svelte-check', '--fail-on-warnings')
  await tool('vite/bin/vite.js', 'build', '--sourcemap')
  return { ...folder, checked }
}

/** A started front end. */
export interface FrontEnd extends AsyncDisposable {
  readonly origin: string
  /** What it wrote to its standard error so far. */
  stderr(): string
}

/** Where a front end will be: Gatelodge has to know before it starts. */
export async function frontEndOrigin(): Promise<string> {
  return `http://localhost:${await freePort()}`
}

/** Starts a built front end for a Gatelodge; answers once it listens. */
export async function startFrontEnd(folder: ConsumerFolder, origin: string, gatelodge: string): Promise<FrontEnd> {
  const { PATH = '' } = process.env
  const env = { PATH, HOST: '127.0.0.1', PORT: new URL(origin).port, AUTH_SERVER_URL: gatelodge, BODY_SIZE_LIMIT: '8M' }
  const child = spawn(process.execPath, ['build'], { cwd: folder.path, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'exit')
  let told = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told += text
  })
  const { done } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next()
  if (done) throw new Error(`the front end did not start: ${told}`)

  return {
    origin,
    stderr: () => told,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
