import assert from 'node:assert/strict'
import { relative } from 'node:path'
import { after, before, describe } from 'node:test'
import { pathToFileURL } from 'node:url'

/**
 * Runs test files in this process, one after the other, each as a suite of its own name: its hooks belong to that suite, and an exception while it is loaded
 * fails only that suite. A file that leaves the process in a different state than it found it also fails.
 */
export async function runTogether(files: readonly string[]): Promise<void> {
  const allLoaded = Promise.withResolvers<void>()
  for (const file of files) {
    const loaded = Promise.withResolvers<void>()
    describe(relative('', file), async () => {
      let found: ReturnType<typeof stateOfProcess> = {}
      before(() => {
        found = stateOfProcess()
      })
      after(() => assertIsStill(found))
      await import(pathToFileURL(file).href).finally(loaded.resolve)
      await allLoaded.promise // the first tests would share the processor with the loading of the rest
    })
    await loaded.promise.catch(() => {})
  }
  allLoaded.resolve()
}

function assertIsStill(found: ReturnType<typeof stateOfProcess>): void {
  const now = stateOfProcess()
  const changed = Object.keys({ ...found, ...now }).filter((name) => found[name] !== now[name])
  const told = changed.map((name) => `${name} was ${found[name]} and is ${now[name]}`)
  assert.equal(told.length, 0, `it left its process otherwise than it found it: ${told.join('; ')}`)
}

/** Returns the state that all files of a process share. */
function stateOfProcess(): Record<string, unknown> {
  const { fetch, setTimeout, setInterval, setImmediate } = globalThis
  return {
    ...Object.fromEntries(Object.entries(process.env).map(([name, value]) => [`process.env.${name}`, value])),
    ...Object.fromEntries(process.eventNames().map((name) => [`on ${String(name)}`, process.listenerCount(name)])),
    ...{ fetch, setTimeout, setInterval, setImmediate, Date, 'Date.now': Date.now, 'console.error': console.error },
    folder: process.cwd(),
    umask: process.umask(),
    exitCode: process.exitCode,
  }
}
