#!/usr/bin/env node
// biome-ignore-all lint/style/useNodejsImportProtocol: Node 12 does not know those names
'use strict'

// Read by whatever Node is there, so in the syntax of Node 12 and as CommonJS.
const fs = require('fs')
const crypto = require('crypto')
const path = require('path')
const pathToFileURL = require('url').pathToFileURL
const spawnSync = require('child_process').spawnSync

const oldest = [24, 12]
const own = path.join(__dirname, '..')
// Stored with the program, since anyone who can write it can change what runs.
const cache = path.join(own, 'node_modules/.cache/gatelodge')

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
  const isCheckout = !isInstalled && fs.existsSync(path.join(own, 'src/main.ts'))
  const problem = complaint(process.versions.node, isCheckout)
  if (problem !== undefined) {
    process.stderr.write(`${problem}\n`)
    process.exit(1)
  }
  const program = isCheckout ? builtProgram() : path.join(own, 'program')
  // V8 counts coverage less exactly in what it did not compile itself.
  if (!process.env.NODE_V8_COVERAGE)
    keepCompiled(isCheckout && program !== undefined ? path.join(program, 'compiled') : cache)
  const name = process.argv[2] === worker ? 'worker' : 'main'
  if (program !== undefined) return import(pathToFileURL(path.join(program, `${name}.js`)).href)
  return name === 'worker' ? import('../src/cli/worker.ts') : import('../src/main.ts')
}

// What the primary of several processes starts, see cli/workers.ts.
const worker = '--worker'

/**
 * Returns the folder of the program that was built from the current source of a checkout, and builds it if necessary: it starts in half the time of the source and takes
 * 35 MB less. Undefined if the source itself must run: without development dependencies or write access, to count its coverage, or to watch its files.
 */
function builtProgram() {
  if (process.env.NODE_V8_COVERAGE || process.env.WATCH_REPORT_DEPENDENCIES) return undefined

  const folder = path.join(cache, `program-${fingerprint()}`)
  if (fs.existsSync(folder)) return folder
  // In a child, whose memory does not stay.
  const built = spawnSync(process.execPath, [path.join(own, 'scripts/program.ts'), cache, folder], { stdio: 'ignore' })
  return built.status === 0 ? folder : undefined
}

/** Digests the name, size and modification time of each file that the program is built from. */
function fingerprint() {
  const source = fs.readdirSync(path.join(own, 'src'), { recursive: true, withFileTypes: true })
  const files = source.filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
  const paths = files.map((entry) => path.join(entry.parentPath, entry.name)).sort()
  const others = ['package.json', 'scripts/program.ts', '../../node_modules/.package-lock.json'] // npm writes the last one
  const hash = crypto.createHash('sha256')
  for (const file of paths.concat(others.map((name) => path.join(own, name)))) {
    const stat = fs.statSync(file, { throwIfNoEntry: false })
    hash.update(`${path.relative(own, file)} ${stat ? `${stat.size} ${stat.mtimeMs}` : '-'}\n`)
  }
  return hash.digest('hex').slice(0, 16)
}

function keepCompiled(folder) {
  require('module').enableCompileCache(folder)
  process.env.NODE_COMPILE_CACHE = folder // for hashing threads: none shares the cache of its process
}

module.exports = { complaint: complaint }
if (require.main === module) start()
