import { readConfig } from '../../packages/gatelodge/src/config.ts'
import { hashKey } from '../../packages/gatelodge/src/domain/passwords/hash-key.ts'
import { createHasher } from '../../packages/gatelodge/src/domain/passwords/hasher.ts'
import { systemActor } from '../../packages/gatelodge/src/kernel/actor.ts'

// The bare pool: the server's own hasher with its default parameters, always `at once` checks under way, nothing else in the process.
const atOnce = 8
const { config } = readConfig({ env: {}, flags: {}, readFile: () => '' })
const hasher = createHasher({ parameters: config.passwordHash })
const key = hashKey(systemActor('command', 'bench'))
const password = 'quiet harbour 52'
const phc = await hasher.hash(password, key)

// Receives a number of ms; returns the number of checks and the rate per second.
process.on('message', async (duration: number) => {
  const start = performance.now()
  let done = 0
  const check = async () => {
    while (performance.now() - start < duration) {
      if (!(await hasher.verify(phc, password, key))) throw new Error('the pool refuses the right password')
      done += 1
    }
  }
  await Promise.all(Array.from({ length: atOnce }, check))
  process.send?.({ answers: done, rate: (done * 1000) / (performance.now() - start) })
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
