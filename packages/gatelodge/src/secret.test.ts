import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { isAuthError } from './kernel/errors.ts'
import { systemRandom } from './kernel/random.ts'
import { findSecret, loadSecret, secretFile } from './secret.ts'

function emptyFolder() {
  const path = mkdtempSync(join(tmpdir(), 'gatelodge-secret-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

test('a secret is created once, 256 bits that only its owner can read', () => {
  using folder = emptyFolder()
  const config = { secret: null, dataDir: join(folder.path, 'data') }
  assert.equal(findSecret(config), undefined)

  const secret = loadSecret(config, systemRandom)
  assert.match(secret, /^[\w-]{43}$/)
  assert.equal(loadSecret(config, systemRandom), secret)
  assert.equal(findSecret(config), secret)
  assert.equal(readFileSync(secretFile(config), 'utf8'), `${secret}\n`)
  assert.equal(statSync(secretFile(config)).mode & 0o777, 0o600)
  assert.equal(statSync(config.dataDir).mode & 0o777, 0o700)
  assert.deepEqual(readdirSync(config.dataDir), ['secret'])
})

test('with a configured secret no file is created', () => {
  using folder = emptyFolder()
  const config = { secret: 'a secret of the tests, long enough to be one', dataDir: folder.path }
  assert.equal(loadSecret(config, systemRandom), config.secret)
  assert.deepEqual(readdirSync(folder.path), [])
})

test('a damaged secret file is rejected, not replaced', () => {
  using folder = emptyFolder()
  const config = { secret: null, dataDir: folder.path }
  writeFileSync(secretFile(config), 'cut off\n')
  assert.throws(
    () => loadSecret(config, systemRandom),
    (error) => isAuthError(error, 'config_invalid'),
  )
  assert.equal(readFileSync(secretFile(config), 'utf8'), 'cut off\n')
})

test('a secret file in an encoding other than UTF-8 is rejected by its name', () => {
  using folder = emptyFolder()
  const config = { secret: null, dataDir: folder.path }
  writeFileSync(secretFile(config), Buffer.from(`\uFEFF${'s'.repeat(43)}\n`, 'utf16le'))
  assert.throws(
    () => loadSecret(config, systemRandom),
    (error) => isAuthError(error, 'config_invalid') && !!error.faults[0]?.message.includes(secretFile(config)),
  )
})

test('a data folder that cannot be created is reported with its reason', () => {
  using folder = emptyFolder()
  writeFileSync(join(folder.path, 'file'), '')
  assert.throws(() => loadSecret({ secret: null, dataDir: join(folder.path, 'file') }, systemRandom), /ENOTDIR|EEXIST/)
})

test('processes that create the secret simultaneously all get the same one', async () => {
  using folder = emptyFolder()
  const dataDir = join(folder.path, 'data')
  const gate = new Int32Array(new SharedArrayBuffer(4))
  const source = `
    import { parentPort, workerData } from 'node:worker_threads'
    const { loadSecret } = await import(workerData.secret)
    const { systemRandom } = await import(workerData.random)
    parentPort.postMessage('ready')
    Atomics.wait(workerData.gate, 0, 0)
    parentPort.postMessage(loadSecret({ secret: null, dataDir: workerData.dataDir }, systemRandom))`
  const workers = Array.from({ length: 8 }, () => {
    const workerData = {
      gate,
      dataDir,
      secret: new URL('./secret.ts', import.meta.url).href,
      random: new URL('./kernel/random.ts', import.meta.url).href,
    }
    return new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), { workerData })
  })
  const said = workers.map((worker) => {
    const ready = Promise.withResolvers<void>()
    const secret = Promise.withResolvers<string>()
    worker.on('message', (text: string) => (text === 'ready' ? ready.resolve() : secret.resolve(text)))
    worker.on('error', secret.reject)
    return { ready: ready.promise, secret: secret.promise }
  })
  await Promise.all(said.map(({ ready }) => ready))
  Atomics.store(gate, 0, 1)
  Atomics.notify(gate, 0)

  const secrets = await Promise.all(said.map(({ secret }) => secret))
  assert.equal(new Set(secrets).size, 1)
  assert.equal(readFileSync(join(dataDir, 'secret'), 'utf8').trim(), secrets[0])
  assert.deepEqual(readdirSync(dataDir), ['secret'])
})
