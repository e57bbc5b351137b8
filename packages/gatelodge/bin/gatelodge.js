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
const published = path.join(own, 'program')

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
  const isCheckout = !fs.existsSync(published)
  const problem = complaint(process.versions.node, isCheckout)
  if (problem !== undefined) {
    process.stderr.write(`${problem}\n`)
    process.exit(1)
  }
  const program = isCheckout ? builtProgram() : published
  keepCompiled(isCheckout && program !== undefined ? program : path.join(own, 'node_modules/.cache/gatelodge'))
  return import(
    pathToFileURL(program === undefined ? path.join(own, 'src/main.ts') : path.join(program, 'main.js')).href
  )
}

/**
 * Returns the folder of the program that was built from the current source of a checkout, and builds it if necessary: it starts in half the time of the source
 * and takes 28 MB less. Undefined if the source itself must run: where nothing can be built, to count its coverage, or to watch its files.
 */
function builtProgram() {
  if (process.env.NODE_V8_COVERAGE || process.env.WATCH_REPORT_DEPENDENCIES) return undefined

  const builds = path.join(own, 'build')
  try {
    const folder = path.join(builds, `program-${fingerprint()}`)
    // Built in a child, whose memory does not stay.
    if (!isWhole(folder))
      spawnSync(process.execPath, [path.join(own, 'scripts/program.ts'), builds, folder], { stdio: 'ignore' })
    if (!isWhole(folder)) return undefined

    keepFromPruning(folder)
    return folder
  } catch (_) {
    return undefined // for example, a process may have no permission to start others
  }
}

/** Returns whether a build can be read and has lost nothing, for example to a power failure. It lists its files last. */
function isWhole(folder) {
  try {
    const sizes = JSON.parse(fs.readFileSync(path.join(folder, 'files.json'), 'utf8'))
    return Object.keys(sizes).every((name) => {
      fs.accessSync(path.join(folder, name), fs.constants.R_OK)
      return fs.statSync(path.join(folder, name)).size === sizes[name]
    })
  } catch (_) {
    return false
  }
}

/** Digests the name, size and modification time of each file that the program is built from. */
function fingerprint() {
  const source = fs.readdirSync(path.join(own, 'src'), { recursive: true, withFileTypes: true })
  const files = source.filter((entry) => !entry.isDirectory() && !entry.name.endsWith('.test.ts'))
  const paths = files.map((entry) => path.join(entry.parentPath, entry.name)).sort()
  const others = ['package.json', 'scripts/program.ts', '../../node_modules/.package-lock.json'] // npm writes the last one
  const hash = crypto.createHash('sha256')
  for (const file of paths.concat(others.map((name) => path.join(own, name)))) {
    const stat = fs.statSync(file, { throwIfNoEntry: false })
    hash.update(`${path.relative(own, file)} ${stat ? `${stat.size} ${stat.mtimeMs}` : '-'}\n`)
  }
  return hash.digest('hex').slice(0, 16)
}

/** Marks a build as in use: a server loads the rest of it when it needs it. */
function keepFromPruning(folder) {
  const mark = path.join(folder, `running-${process.pid}`)
  try {
    fs.writeFileSync(mark, '')
    process.on('exit', () => fs.rmSync(mark, { force: true }))
  } catch (_) {
    // Another user's build, which only its owner prunes.
  }
}

/** Caches compiled code with the program, since anyone who can write it can change what runs. */
function keepCompiled(folder) {
  // V8 counts coverage less exactly in what it did not compile itself.
  if (process.env.NODE_V8_COVERAGE) return
  require('module').enableCompileCache(folder)
  process.env.NODE_COMPILE_CACHE = folder // for hashing threads: none shares the cache of its process
}

module.exports = { complaint: complaint, isWhole: isWhole }
if (require.main === module) start()
