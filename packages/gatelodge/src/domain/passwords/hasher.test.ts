import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { hashSync, verifySync } from '@node-rs/argon2'
import { readConfig } from '../../config.ts'
import { systemActor } from '../../kernel/actor.ts'
import { isAuthError } from '../../kernel/errors.ts'
import type { UserId } from '../../kernel/ids.ts'
import { type HashKey, hashKey } from './hash-key.ts'
import { createHasher, type HasherOptions } from './hasher.ts'

// Among the threads that tests start, only those of this file count towards coverage: nothing else runs their code.
const { TEST_COVERAGE } = process.env
if (TEST_COVERAGE) process.env.NODE_V8_COVERAGE = TEST_COVERAGE

const keyOf = (ip: string): HashKey => hashKey({ ...systemActor('library', 'test'), ip })
const [a, b] = [keyOf('a'), keyOf('b')]
const parameters = { memoryKiB: 8, passes: 1, lanes: 1 }
const realParameters = readConfig({ env: {}, flags: {}, readFile: () => assert.fail('no file is read') }).config
  .passwordHash

async function withHasher(
  options: Partial<HasherOptions>,
  work: (hasher: ReturnType<typeof createHasher>) => Promise<void>,
) {
  const hasher = createHasher({ parameters, ...options })
  try {
    await work(hasher)
  } finally {
    await hasher.close()
  }
}

test('a hash is an argon2id PHC string of the parameters, salted, and only its password fits', async () => {
  await withHasher({}, async (hasher) => {
    const [one, two] = await Promise.all([hasher.hash('quiet harbour 52', a), hasher.hash('quiet harbour 52', b)])

    assert.match(one, /^\$argon2id\$v=19\$m=8,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    assert.notEqual(one, two)
    assert.ok(verifySync(one, 'quiet harbour 52'))
    assert.equal(await hasher.verify(one, 'quiet harbour 52', a), true)
    assert.equal(await hasher.verify(one, 'quiet harbour 53', a), false)
    assert.equal(await hasher.verify(one, 'Quiet harbour 52', a), false)
    assert.equal(await hasher.verify(one, 'quiet harbour 52 ', a), false)
  })
})

test('the NFC and the NFD form of one password are one password', async () => {
  await withHasher({}, async (hasher) => {
    const phc = await hasher.hash('cafe\u0301 au lait', a)
    assert.equal(await hasher.verify(phc, 'caf\u00e9 au lait', a), true)
    assert.equal(await hasher.verify(phc, 'cafe au lait', a), false)
  })
})

test('a password beyond the length of the policy is hashed whole', async () => {
  await withHasher({}, async (hasher) => {
    const long = '\u0316\u0301'.repeat(15_000)
    const phc = await hasher.hash(long, a)
    assert.equal(await hasher.verify(phc, long, a), true)
    assert.equal(await hasher.verify(phc, `${long}x`, a), false)
  })
})

test('hashes with other argon2 parameters and variants can still be checked', async () => {
  await withHasher({}, async (hasher) => {
    const costs = [
      { memoryCost: 64 },
      { timeCost: 3 },
      { memoryCost: 16, parallelism: 2 },
      { algorithm: 0 },
      { algorithm: 1 },
      { version: 0 },
    ]
    for (const cost of costs) {
      const phc = hashSync('quiet harbour 52', { memoryCost: 8, timeCost: 1, ...cost })
      assert.equal(await hasher.verify(phc, 'quiet harbour 52', a), true, phc)
      assert.equal(await hasher.verify(phc, 'quiet harbour 53', a), false, phc)
    }
  })
})

const valid = hashSync('quiet harbour 52', { memoryCost: 8, timeCost: 1 })
const damaged = [
  '',
  'quiet harbour 52',
  '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy',
  valid.slice(0, -1),
  valid.slice(0, 40),
  `${valid}$`,
  valid.replace('p=1', 'p=2'),
  valid.replace('m=8', 'm=4294967295'),
  valid.replace('t=1', 't=4294967295'),
  valid.replace('m=8', 'm=0'),
]

test('no hash, a damaged hash and one too costly to compute match no password and block nothing', async () => {
  await withHasher({}, async (hasher) => {
    for (const phc of [null, ...damaged]) {
      assert.equal(await hasher.verify(phc, 'quiet harbour 52', a), false, `${phc}`)
      assert.equal(await hasher.verify(phc, '', a), false, `${phc}`)
    }
    assert.equal(await hasher.verify(valid, 'quiet harbour 52', a), true)
  })
})

test('an unknown user or a damaged hash costs a real check, from the first on', async () => {
  await withHasher({ parameters: realParameters, threads: 1 }, async (hasher) => {
    for (const phc of [null, ...damaged]) {
      const checked = hasher.verify(phc, 'quiet harbour 53', a)
      assert.partialDeepStrictEqual(hasher.load(), { running: 1, waiting: 0 })
      assert.equal(await checked, false)
    }
  })
})

test('a hash with less memory, fewer passes or another algorithm needs rehashing', async () => {
  await withHasher({ parameters: { memoryKiB: 64, passes: 2, lanes: 1 } }, async (hasher) => {
    assert.equal(hasher.needsRehash(await hasher.hash('quiet harbour 52', a)), false)
    assert.equal(hasher.needsRehash(hashSync('x', { memoryCost: 128, timeCost: 3, parallelism: 2 })), false)

    const lower = [
      { memoryCost: 63 },
      { timeCost: 1 },
      { memoryCost: 128, timeCost: 1 },
      { algorithm: 0 },
      { algorithm: 1 },
      { version: 0 },
    ]
    for (const cost of lower)
      assert.equal(hasher.needsRehash(hashSync('x', { memoryCost: 64, timeCost: 2, ...cost })), true)
    for (const phc of ['', '$2b$10$N9qo8uLOickgx2ZMRZoMye']) assert.equal(hasher.needsRehash(phc), true)
  })
})

test('one client that queues much does not hold up another', async () => {
  await withHasher({ threads: 1 }, async (hasher) => {
    const done: string[] = []
    const jobs = ['a1', 'a2', 'a3', 'a4', 'a5', 'b1'].map(async (name) => {
      await hasher.hash('quiet harbour 52', keyOf(name.slice(0, 1)))
      done.push(name)
    })

    assert.partialDeepStrictEqual(hasher.load(), { running: 1, waiting: 5 })
    await Promise.all(jobs)
    assert.deepEqual(done, ['a1', 'a2', 'b1', 'a3', 'a4', 'a5'])
    assert.partialDeepStrictEqual(hasher.load(), { running: 0, waiting: 0 })
  })
})

test('accounts on places of their own take turns with all strangers together, and among themselves', async () => {
  await withHasher({ threads: 1 }, async (hasher) => {
    const own = (account: string, place = 'device 1') => ({ ...a, own: { account: account as UserId, place } })
    const done: string[] = []
    const jobs = [
      ...['s1', 's2', 's3', 's4', 's5'].map((name) => ({ name, key: keyOf(name) })),
      ...['m1', 'm2'].map((name) => ({ name, key: own('mallory') })),
      { name: 'm3', key: own('mallory', 'device 2') },
      { name: 'o1', key: own('ada') },
    ].map(async ({ name, key }) => {
      await hasher.hash('quiet harbour 52', key)
      done.push(name)
    })
    await Promise.all(jobs)
    assert.deepEqual(done, ['s1', 's2', 'm1', 's3', 'o1', 's4', 'm3', 's5', 'm2'])
  })
})

test('an account on a place of its own is answered without waiting for strangers in its batch', async () => {
  await withHasher({ threads: 1 }, async (hasher) => {
    const key = { ...a, own: { account: 'ada' as UserId, place: 'device 1' } }
    const strangers = Array.from({ length: 12 }, () => hasher.hash('quiet harbour 52', b))
    await hasher.hash('quiet harbour 52', key)
    assert.partialDeepStrictEqual(hasher.load(), { running: 4, waiting: 6 })
    await Promise.all(strangers)
  })
})

test('one place of an account has two places among the accounts, and waits with strangers beyond them', async () => {
  await withHasher({ threads: 1, maxWaiting: 12 }, async (hasher) => {
    const own = (account: string, place = 'device 1') => ({ ...a, own: { account: account as UserId, place } })
    const done: string[] = []
    const ask = async (name: string, key: HashKey) => {
      await hasher.hash('quiet harbour 52', key).then(
        () => done.push(name),
        () => done.push(`no ${name}`),
      )
    }
    const jobs = Array.from({ length: 20 }, (_, at) => ask(`m${at}`, own('mallory')))
    jobs.push(ask('b', b), ask('ada', own('ada')))
    await Promise.all(jobs)
    assert.ok(done.includes('b') && done.includes('ada'))
    assert.ok(done.filter((name) => !name.startsWith('no')).indexOf('ada') < 5, done.join())
    assert.ok(done.filter((name) => !name.startsWith('no')).indexOf('b') < 6, done.join())
  })
})

test('a full queue answers overloaded with a time to wait, and keeps room for other clients', async () => {
  await withHasher({ threads: 1, maxWaiting: 3 }, async (hasher) => {
    const outcome = (key: string) =>
      hasher.verify(valid, 'quiet harbour 52', keyOf(key)).catch((error: unknown) => {
        assert.ok(isAuthError(error, 'overloaded'))
        assert.equal(error.retryAfter, 1)
        return 'overloaded'
      })

    const outcomes = ['a', 'a', 'a', 'a', 'a', 'b'].map(outcome)
    assert.partialDeepStrictEqual(hasher.load(), { running: 1, waiting: 3 })
    assert.deepEqual(await Promise.all(outcomes), [true, true, true, 'overloaded', 'overloaded', true])
  })
})

test('the time to wait grows with the queue and the cost of a hash', async () => {
  const costly = { memoryKiB: 19_456, passes: 20, lanes: 1 }
  await withHasher({ parameters: costly, threads: 1, maxWaiting: 8 }, async (hasher) => {
    const jobs = Array.from({ length: 10 }, () => hasher.verify(valid, 'quiet harbour 52', a))
    const [refused] = (await Promise.allSettled(jobs)).filter(({ status }) => status === 'rejected')
    assert.ok(refused?.status === 'rejected' && isAuthError(refused.reason, 'overloaded'))
    assert.equal(refused.reason.retryAfter, 2)
  })
})

test('no more jobs run concurrently than there are threads', async () => {
  await withHasher({ threads: 1 }, async (hasher) => {
    const jobs = [hasher.hash('x', a), hasher.hash('x', b)]
    assert.partialDeepStrictEqual(hasher.load(), { running: 1, waiting: 1 })
    await Promise.all(jobs)
  })
})

test('a job that cannot be done fails alone, also among others of its batch', async () => {
  // argon2 requires 8 KiB per lane: a hash with these parameters throws inside the thread.
  await withHasher({ parameters: { memoryKiB: 8, passes: 1, lanes: 2 }, threads: 1 }, async (hasher) => {
    const results = await Promise.allSettled([
      hasher.hash('quiet harbour 52', a),
      hasher.verify(valid, 'quiet harbour 52', a),
      hasher.hash('quiet harbour 52', a),
      hasher.verify(valid, 'quiet harbour 53', a),
    ])

    assert.deepEqual(
      results.map((result) => (result.status === 'fulfilled' ? result.value : isAuthError(result.reason, 'internal'))),
      [true, true, true, false],
    )
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'fulfilled', 'rejected', 'fulfilled'],
    )
    assert.partialDeepStrictEqual(hasher.load(), { running: 0, waiting: 0 })
  })
})

test('closing rejects new jobs and finishes running ones', async () => {
  const hasher = createHasher({ parameters, threads: 1 })
  const jobs = ['a', 'a', 'b'].map((key) => hasher.hash('quiet harbour 52', keyOf(key)))
  const closed = hasher.close()

  await assert.rejects(hasher.hash('quiet harbour 52', a), (error) => isAuthError(error, 'service_unavailable'))
  await assert.rejects(hasher.verify(null, 'quiet harbour 52', a), (error) => isAuthError(error, 'service_unavailable'))
  await closed
  assert.partialDeepStrictEqual(hasher.load(), { running: 0, waiting: 0 })
  for (const phc of await Promise.all(jobs)) assert.ok(verifySync(phc, 'quiet harbour 52'))
  await hasher.close()
})

test('closing a hasher that was never used starts nothing and ends', async () => {
  await createHasher({ parameters }).close()
})

test('a job under way keeps the process alive, an idle thread does not', async () => {
  const script = `
    const { createHasher } = await import(${JSON.stringify(import.meta.resolve('./hasher.ts'))})
    const a = ${JSON.stringify(a)}
    const hasher = createHasher({ parameters: ${JSON.stringify(realParameters)}, threads: 1 })
    hasher.hash('quiet harbour 52', a).then(() => hasher.hash('quiet harbour 53', a)).then((phc) => console.log(phc))
  `
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    timeout: 20_000,
  })
  assert.match(stdout, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
})

test('hashing threads give way to the event loop, not for all', { skip: process.platform !== 'linux' }, async () => {
  await withHasher({ threads: 1 }, async (hasher) => {
    await hasher.hash('quiet harbour 52', a)

    const niceness = readdirSync('/proc/self/task').map((id) => {
      const stat = readFileSync(`/proc/self/task/${id}/stat`, 'utf8')
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])
    })
    const [loop = 0] = niceness
    assert.deepEqual([...new Set(niceness)], [loop, Math.min(loop + 2, 19)])
  })
})
