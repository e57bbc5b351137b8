import assert from 'node:assert/strict'
import { test } from 'node:test'
import sharp from 'sharp'
import { forEachDatabase, type Person, type TestApp, testApp } from '../../../test/support/app.ts'
import { inParallel, tally } from '../../../test/support/attack.ts'
import { dataFolder, plain, upload } from '../../../test/support/images.ts'
import { startS3 } from '../../../test/support/s3.ts'
import { deleteAccount } from '../../admin/users/delete-user.ts'
import { removeDueAvatars, setAvatar, storeAvatar } from '../../domain/avatars/files.ts'
import type { Deps } from '../../domain/deps.ts'
import { type Asker, endSessions } from '../../domain/sessions.ts'
import { cleanUp } from '../../jobs/clean-up.ts'
import { systemActor } from '../../kernel/actor.ts'
import { hour } from '../../kernel/clock.ts'
import { isAuthError } from '../../kernel/errors.ts'
import type { SessionId, UserId } from '../../kernel/ids.ts'
import { transact } from '../../store/unit-of-work.ts'
import { changeAvatar, removeAvatar } from './change-avatar.ts'

const actor = systemActor('command', 'test')
const picture = await plain(40, 30).png().toBuffer()
const other = await plain(30, 40, { r: 0, g: 0, b: 200 }).webp().toBuffer()

function fileOf(path: string): string {
  return path.replace('/avatars/', '')
}

async function fetched(app: TestApp, path: string) {
  const response = await app.composition.fetch(new Request(`http://localhost:3000${path}`))
  return { status: response.status, headers: response.headers, bytes: await response.bytes() }
}

forEachDatabase('avatars', (engine) => {
  test('a picture is set, shown to everybody under its own name, replaced and removed', async () => {
    using data = dataFolder()
    await using app = await testApp({ engine, env: data.env })
    const ada = await app.user()
    const cookie = await app.cookie(ada)
    const { access: bearer } = await app.tokens(ada)
    assert.equal((await app.get('/session', { cookie })).json.user.avatar_url, null)

    const set = await upload(app, { cookie }, picture)
    assert.equal(set.status, 200, set.text)
    const path = set.json.avatar_url
    assert.match(path, /^\/avatars\/[0-9a-f]{32}-320\.webp$/)
    assert.equal((await app.get('/session', { cookie })).json.user.avatar_url, path)
    assert.equal((await app.get('/me/export', { cookie })).json.user.avatar_url, path)
    assert.deepEqual(data.files(), [fileOf(path), fileOf(path).replace('-320', '-96')].sort())

    for (const [file, size] of [
      [path, 320],
      [path.replace('-320', '-96'), 96],
    ]) {
      const shown = await fetched(app, file)
      assert.equal((await sharp(shown.bytes).metadata()).width, size)
      assert.deepEqual(
        [
          'content-type',
          'x-content-type-options',
          'content-security-policy',
          'cache-control',
          'cross-origin-resource-policy',
        ].map((name) => shown.headers.get(name)),
        ['image/webp', 'nosniff', "default-src 'none'; sandbox", 'public, max-age=31536000, immutable', 'cross-origin'],
      )
    }

    const again = await upload(app, { bearer }, picture)
    assert.notEqual(again.json.avatar_url, path)
    assert.equal(data.files().length, 2)
    assert.equal((await app.get(path)).code, 'not_found')

    const removed = await app.delete('/me/avatar', { bearer })
    assert.deepEqual([removed.status, removed.json.avatar_url], [200, null])
    assert.equal((await app.delete('/me/avatar', { cookie })).status, 200)
    assert.deepEqual(data.files(), [])
    assert.deepEqual(await app.rows('avatar_removals'), [])
    const events = (await app.events()).filter((name) => name.startsWith('avatar.'))
    assert.deepEqual(events, ['avatar.changed', 'avatar.changed', 'avatar.removed'])
  })

  test('the same picture of two people has two names, and outlives the other', async () => {
    using data = dataFolder()
    await using app = await testApp({ engine, env: data.env })
    const [ada, eve] = [await app.cookie(await app.user()), await app.cookie(await app.user())]
    const hers = (await upload(app, { cookie: ada }, picture)).json.avatar_url
    const theirs = (await upload(app, { cookie: eve }, picture)).json.avatar_url
    assert.match(theirs, /^\/avatars\//)
    assert.notEqual(hers, theirs)
    await app.delete('/me/avatar', { cookie: eve })
    assert.deepEqual([(await app.get(hers)).status, (await app.get(theirs)).status], [200, 404])
  })

  test('the picture is deleted with the account, whether by its owner or by an operator', async () => {
    using data = dataFolder()
    await using app = await testApp({ engine, env: data.env })
    const [ada, eve] = [await app.user(), await app.user()]
    const cookie = await app.cookie(ada)
    await upload(app, { cookie }, picture)
    await upload(app, { cookie: await app.cookie(eve) }, other)
    assert.equal(data.files().length, 4)
    assert.equal((await app.delete('/me', { cookie }, { password: ada.password })).status, 204)
    assert.equal(data.files().length, 2)
    await deleteAccount(app.deps, actor, { who: eve.email })
    assert.deepEqual([data.files(), await app.rows('avatar_removals')], [[], []])
  })

  test('a picture for a deleted account is rejected, and its files are removed', async () => {
    using data = dataFolder()
    await using app = await testApp({ engine, env: data.env })
    const gone = {
      user: { id: '01a1f86a-a0e0-7006-9c59-cef1c2c93b1e' as UserId },
      session: { id: 'none' as SessionId },
    }
    await assert.rejects(changeAvatar(app.deps, actor, gone, picture), (error) => isAuthError(error, 'token_invalid'))
    await assert.rejects(removeAvatar(app.deps, actor, gone), (error) => isAuthError(error, 'token_invalid'))
    assert.equal(data.files().length, 2)
    await cleanUp(app.deps)
    assert.equal(data.files().length, 2)
    app.clock.advance(hour)
    assert.ok((await cleanUp(app.deps)) >= 1)
    assert.deepEqual([data.files(), await app.rows('avatar_removals')], [[], []])
  })

  test('a session that ends while its picture is made changes nothing', async () => {
    using data = dataFolder()
    await using app = await testApp({ engine, env: data.env })
    const ada = await app.user()
    const me = await askerOf(app, ada)
    const late = whoStoresBefore(app, async () => {
      await transact(app.deps, actor, (work) => endSessions(work, me.user.id))
    })
    await assert.rejects(changeAvatar(late, actor, me, picture), (error) => isAuthError(error, 'token_invalid'))
    await assert.rejects(removeAvatar(late, actor, me), (error) => isAuthError(error, 'token_invalid'))
    assert.equal((await app.rows('users'))[0]?.avatar_url, null)
  })

  test('parallel changes and removals of one account leave the files of its picture, and no others', async () => {
    using data = dataFolder()
    await using app = await testApp({ engine, env: { ...data.env, GATELODGE_RATE_LIMITS: 'off' } })
    const ada = await app.user()
    const id = ada.id as UserId
    const cookie = await app.cookie(ada)
    const me = await askerOf(app, ada)
    await inParallel(14, (index) =>
      index % 4 === 3
        ? removeAvatar(app.deps, actor, me)
        : changeAvatar(app.deps, actor, me, index % 2 ? other : picture),
    )
    const images = await app.deps.avatarRenderer.render(picture)
    const names = await inParallel(10, () => storeAvatar(app.deps, actor, images))
    await inParallel(10, (index) => transact(app.deps, actor, (work) => setAvatar(work, id, names[index] ?? null)))
    await removeDueAvatars(app.deps)
    assert.equal(data.files().length, 2)

    const told = await inParallel(50, () => upload(app, { cookie }, picture))
    const counts = tally(told.map(({ status, code }) => `${status} ${code ?? ''}`.trim()))
    assert.ok((counts['200'] ?? 0) >= 2, JSON.stringify(counts))
    assert.equal((counts['200'] ?? 0) + (counts['503 overloaded'] ?? 0), 50)
    const refused = told.find(({ status }) => status === 503)
    assert.equal(refused?.headers.get('retry-after'), '5')

    const path = (await app.get('/me', { cookie })).json.avatar_url
    assert.deepEqual(data.files(), [fileOf(path), fileOf(path).replace('-320', '-96')].sort())
    assert.deepEqual(await app.rows('avatar_removals'), [])
  })

  test('while the bucket is away nothing changes, and what was left is removed when it is back', async () => {
    await using s3 = await startS3()
    await using app = await testApp({ engine, env: s3.env })
    const cookie = await app.cookie(await app.user())
    const first = (await upload(app, { cookie }, picture)).json.avatar_url
    assert.equal(s3.files().length, 2)
    assert.equal((await fetched(app, first)).headers.get('content-type'), 'image/webp')

    await s3.away()
    const failed = await upload(app, { cookie }, other)
    assert.deepEqual([failed.status, failed.code], [503, 'service_unavailable'])
    assert.equal((await app.get(first)).status, 503)
    assert.equal((await app.get('/me', { cookie })).json.avatar_url, first)
    const removed = await app.delete('/me/avatar', { cookie })
    assert.deepEqual([removed.status, removed.json.avatar_url], [200, null])
    assert.ok(app.logged.some(({ level, message }) => level === 'warn' && /could not be deleted/.test(message)))
    assert.doesNotMatch(JSON.stringify(app.logged), /S3RVER/)

    await s3.back()
    assert.equal((await app.get(first)).status, 200)
    await cleanUp(app.deps)
    assert.deepEqual(s3.files(), [])
    app.clock.advance(hour)
    await cleanUp(app.deps)
    assert.deepEqual(await app.rows('avatar_removals'), [])
  })

  test('an upload that took too long takes no files that clean-up may have removed', async () => {
    using data = dataFolder()
    await using app = await testApp({ engine, env: data.env })
    const ada = await app.user()
    const late = whoStoresBefore(app, async () => {
      app.clock.advance(hour)
      await cleanUp(app.deps)
    })
    const asked = changeAvatar(late, actor, await askerOf(app, ada), picture)
    await assert.rejects(asked, (error) => isAuthError(error, 'service_unavailable'))
    assert.deepEqual(data.files(), [])
    assert.equal((await app.rows('users'))[0]?.avatar_url, null)
  })
})

/** Returns a user with a new session, in the shape that the operations accept. */
async function askerOf(app: TestApp, person: Person): Promise<Asker> {
  const { session } = await app.tokens(person)
  return { user: { id: person.id as UserId }, session: { id: session as SessionId } }
}

/** Returns dependencies with which `happens` runs between the storing of a picture and its account. */
function whoStoresBefore({ deps }: TestApp, happens: () => Promise<unknown>): Deps {
  const { avatarStorage } = deps
  return {
    ...deps,
    avatarStorage: {
      ...avatarStorage,
      async put(...given: Parameters<typeof avatarStorage.put>) {
        await avatarStorage.put(...given)
        await happens()
      },
    },
  }
}
