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

/** The SvelteKit example as a user copies it, checked and built there. */
export interface FrontEndBuild extends ConsumerFolder {
  /** The output of the type check. */
  readonly checked: string
}

/** Copies, checks and builds the example in a fresh folder, with the packed packages and none of our source. @throws the output of a failed step */
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
  // One after the other: a build rewrites the types that the check reads.
  const { stdout: checked } = await tool('svelte-check/bin/svelte-check', '--fail-on-warnings')
  await tool('vite/bin/vite.js', 'build', '--sourcemap')
  return { ...folder, checked }
}

/** A running front end. */
export interface FrontEnd extends AsyncDisposable {
  readonly origin: string
  /** Returns what it has written to standard error so far. */
  stderr(): string
}

/** Returns the URL that a front end will have, because Gatelodge must know it before it starts. */
export async function frontEndOrigin(): Promise<string> {
  return `http://localhost:${await freePort()}`
}

/** Starts a built front end for a Gatelodge. Resolves once it listens. */
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
