import asyncHooks from 'node:async_hooks'
import { isMainThread } from 'node:worker_threads'

/** What `npm test` loads first in each process of tests, and in the threads of those. */
const { env } = process

// Node.js has read it by then: what tests start writes no coverage. It would be large, cut off with a process that is killed, and keep the program from
// its compile cache.
env.TEST_COVERAGE = env.NODE_V8_COVERAGE ?? ''
delete env.NODE_V8_COVERAGE

if (isMainThread) await loadTestRunner()

/**
 * The test runner follows every promise by a hook, to name the test that a late error comes from. That makes each await 30 times as slow, which took a
 * quarter of the processor time of tests. Here it follows timers and connections only: what it then cannot name fails the file, and its stack is printed.
 */
async function loadTestRunner(): Promise<void> {
  const { createHook } = asyncHooks
  asyncHooks.createHook = (options) => createHook({ ...options, trackPromises: false })
  await import('node:test')
  asyncHooks.createHook = createHook

  process.on('uncaughtExceptionMonitor', (error) => console.error(error))
  process.on('unhandledRejection', (reason) => {
    if (process.listenerCount('unhandledRejection') === 1) throw reason // the runner does not listen yet
    console.error(reason)
  })
}
