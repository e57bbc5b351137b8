import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { isAuthError } from '../kernel/errors.ts'
import { createWalSync } from './wal-sync.ts'

const folder = mkdtempSync(join(tmpdir(), 'gatelodge-wal-'))
after(() => rmSync(folder, { recursive: true }))

test('a commit waits for a sync that started after it, and shares that sync with other waiting commits', async () => {
  const file = join(folder, 'log')
  writeFileSync(file, 'frames')
  const wal = createWalSync(file)

  const first = wal.flush()
  const second = wal.flush()
  const third = wal.flush()
  assert.notEqual(second, first)
  assert.equal(third, second)
  const order: string[] = []
  await Promise.all([first.then(() => order.push('first')), second.then(() => order.push('second'))])
  assert.deepEqual(order, ['first', 'second'])
  await wal.flush()
  await wal.close()
})

test('a failed sync is not acknowledged, and the next flush tries again', async () => {
  const wal = createWalSync('/dev/null') // a device that cannot be synced
  const refused = await Promise.allSettled([wal.flush(), wal.flush()])

  for (const { status, reason } of refused as PromiseRejectedResult[]) {
    assert.equal(status, 'rejected')
    assert.ok(isAuthError(reason, 'service_unavailable'))
    assert.equal(reason.retryAfter, 5)
  }
  await assert.rejects(wal.flush(), (error) => isAuthError(error, 'service_unavailable'))
  await wal.close()
})
