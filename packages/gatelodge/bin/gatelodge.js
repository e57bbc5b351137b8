#!/usr/bin/env node
// biome-ignore-all lint/style/useNodejsImportProtocol: Node 12 does not know those names
'use strict'

// Read by whatever Node is there, so in the syntax of Node 12 and as CommonJS.
const fs = require('fs')
const path = require('path')
const spawnSync = require('child_process').spawnSync

const oldest = [24, 12]
const cache = path.join(__dirname, '../node_modules/.cache/gatelodge')

/** The one line that says what is needed, or undefined when this version of Node is new enough. */
function complaint(version, isCheckout) {
  const parts = version.split('.').map(Number)
  if (parts[0] > oldest[0] || (parts[0] === oldest[0] && parts[1] >= oldest[1])) return undefined

  const fix = isCheckout
    ? 'Run it through npm, which provides a newer version: npm start, or npm run gatelodge -- COMMAND'
    : 'Install a newer version from https://nodejs.org'
  return `Gatelodge requires Node.js ${oldest.join('.')} or newer, but this is ${version}. ${fix}`
}

function start() {
  // Node strips no types below node_modules: there the published build runs.
  const isInstalled = /[\\/]node_modules[\\/]/.test(__dirname)
  const isCheckout = !isInstalled && fs.existsSync(path.join(__dirname, '../src/main.ts'))
  const problem = complaint(process.versions.node, isCheckout)
  if (problem !== undefined) {
    process.stderr.write(`${problem}\n`)
    process.exit(1)
  }
  if (process.argv[2] === compileOnly) return compile()
  if (isCheckout && process.argv[2] === 'serve' && !fs.existsSync(cache)) {
    spawnSync(process.execPath, [__filename, compileOnly], { stdio: 'ignore' })
  }
  keepCompiled()
  if (process.argv[2] === worker) return isCheckout ? import('../src/cli/worker.ts') : import('../dist/cli/worker.js')
  return isCheckout ? import('../src/main.ts') : import('../dist/main.js')
}

// What the primary of several processes starts, see cli/workers.ts.
const worker = '--worker'

/** Caches compiled code: stripping types takes half the time of a start and a fifth of its memory. The cache is stored with the program, since anyone who can write it can change what runs. */
function keepCompiled() {
  // V8 counts coverage less exactly in what it did not compile itself.
  if (process.env.NODE_V8_COVERAGE) return
  require('module').enableCompileCache(cache)
  process.env.NODE_COMPILE_CACHE = cache // for hashing threads: none shares the cache of its process
}

// The first server of a checkout has the types stripped by a child, or it would keep the memory that this takes for as long as it runs.
const compileOnly = '--compile-only'

async function compile() {
  keepCompiled()
  await import('../src/compose.ts')
  await import('../src/http/server.ts')
  await import('../src/output/lossy-output.ts')
  process.argv[2] = '--version'
  await import('../src/main.ts')
  require('module').flushCompileCache() // what is written under other flags of V8 counts only under these
  await hashOnce()
}

/** What a hashing thread runs is kept when it ends, under the flags that a server has by then. */
async function hashOnce() {
  const heap = await import('../src/cli/heap.ts')
  const hashing = await import('../src/domain/passwords/hasher.ts')
  heap.keepHeapAsItIs()
  const hasher = hashing.createHasher({ parameters: { memoryKiB: 8, passes: 1, lanes: 1 }, threads: 1 })
  await hasher.hash('', { networks: [''] })
  await hasher.close()
}

module.exports = { complaint: complaint }
if (require.main === module) start()
