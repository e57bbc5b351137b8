import assert from 'node:assert/strict'
import { rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { dataFolder } from '../../../test/support/images.ts'
import { s3Keys, startS3 } from '../../../test/support/s3.ts'
import { readConfig } from '../../config.ts'
import { isAuthError } from '../../kernel/errors.ts'
import { systemRandom } from '../../kernel/random.ts'
import { avatarFile, nameAvatar, parseAvatarFile } from './names.ts'
import type { AvatarImages } from './render.ts'
import { type AvatarStorage, openAvatarStorage } from './storage.ts'

const images: AvatarImages = { 96: new Uint8Array([9, 6]), 320: new Uint8Array(100_000).fill(7) }
const isAway = (error: unknown) => isAuthError(error, 'service_unavailable')

function open(env: Readonly<Record<string, string>>): Promise<AvatarStorage> {
  return openAvatarStorage(readConfig({ env, flags: {}, readFile: () => assert.fail('no file is read') }).config)
}

interface Place extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>
  files(): string[]
  away(): unknown
  back(): unknown
}

async function inFolder(): Promise<Place> {
  const data = dataFolder()
  const { folder, env, files } = data
  return {
    env,
    files,
    away() {
      rmSync(folder, { recursive: true })
      writeFileSync(folder, 'no folder')
    },
    back: () => rmSync(folder),
    [Symbol.asyncDispose]: async () => data[Symbol.dispose](),
  }
}

for (const [kind, start, prefix] of [
  ['folder', inFolder, ''],
  ['s3', startS3, 'of/people/'],
] as const) {
  describe(`avatars in ${kind}`, () => {
    test('what was put can be read until it is removed, and others stay', async () => {
      await using place: Place = await start()
      const storage = await open(place.env)
      const [mine, other] = [nameAvatar(systemRandom, images), nameAvatar(systemRandom, images)]
      assert.notEqual(mine, other)
      await storage.put(mine, images)
      await storage.put(other, images)
      assert.deepEqual(await storage.get(mine, 96), images[96])
      assert.deepEqual(await storage.get(mine, 320), images[320])
      const all = [mine, other].flatMap((name) => [96, 320].map((size) => `${prefix}${name}-${size}.webp`))
      assert.deepEqual(place.files(), all.sort())

      await storage.remove(mine)
      assert.equal(await storage.get(mine, 96), undefined)
      assert.deepEqual(await storage.get(other, 96), images[96])
      await storage.remove(mine)
    })

    test('a place that cannot be reached is service_unavailable, and used again when it is back', async () => {
      await using place: Place = await start()
      const storage = await open(place.env)
      const name = nameAvatar(systemRandom, images)
      await place.away()
      await assert.rejects(storage.put(name, images), isAway)
      await assert.rejects(storage.get(name, 96), isAway)
      if (kind === 's3') await assert.rejects(storage.remove(name), isAway)
      await place.back()
      await storage.put(name, images)
      assert.deepEqual(await storage.get(name, 320), images[320])
    })
  })
}

test('files of the folder are readable by the server only, and none is ever overwritten', async () => {
  using data = dataFolder()
  const storage = await open(data.env)
  const name = nameAvatar(systemRandom, images)
  await storage.put(name, images)
  const at = join(data.folder, 'avatars')
  assert.deepEqual([statSync(at).mode & 0o777, statSync(join(at, avatarFile(name, 96))).mode & 0o777], [0o700, 0o600])
  await assert.rejects(storage.put(name, images), isAway) // never overwrites another file
})

test('a bucket rejects a wrong secret key, and the error does not contain the key', async () => {
  await using place = await startS3()
  const storage = await open({ ...place.env, GATELODGE_AVATARS_SECRET_KEY: 'another' })
  const name = nameAvatar(systemRandom, images)
  await assert.rejects(storage.put(name, images), (error) => {
    assert.ok(isAway(error))
    assert.doesNotMatch(JSON.stringify(error, Object.getOwnPropertyNames(error)), /another/)
    return true
  })
  assert.deepEqual(place.files(), [])
})

test('only names that were made here are files', () => {
  const name = nameAvatar(systemRandom, images)
  assert.deepEqual(parseAvatarFile(avatarFile(name, 96)), { name, size: 96 })
  for (const file of [
    '',
    `${name}-97.webp`,
    `${name}-96.png`,
    `${name.toUpperCase()}-96.webp`,
    `../${name}-96.webp`,
    `${name}-96.webp\n`,
    `${name}-96.webp\0`,
    `${name.slice(1)}-96.webp`,
    `${name}-096.webp`,
    '..',
    'C:\\x-96.webp',
  ]) {
    assert.equal(parseAvatarFile(file), undefined, JSON.stringify(file))
  }
})

test('an incomplete or misspelled setting is rejected', () => {
  const s3 = 's3://pictures/of?endpoint=https://s3.example.com&region=eu-west-1'
  const read = (env: Readonly<Record<string, string>>) =>
    readConfig({ env, flags: {}, readFile: () => assert.fail('no file is read') })
  assert.deepEqual(read({}).config.avatars, { kind: 'folder' })
  assert.deepEqual(read({ GATELODGE_AVATARS: s3, ...s3Keys }).config.avatars, {
    kind: 's3',
    bucket: 'pictures',
    prefix: 'of/',
    endpoint: 'https://s3.example.com',
    region: 'eu-west-1',
  })
  for (const [env, field] of [
    [{ GATELODGE_AVATARS: s3 }, 'GATELODGE_AVATARS'],
    [{ GATELODGE_AVATARS: s3, GATELODGE_AVATARS_KEY_ID: 'x' }, 'GATELODGE_AVATARS'],
    [{ GATELODGE_AVATARS: s3, GATELODGE_AVATARS_SECRET_KEY: 'x' }, 'GATELODGE_AVATARS'],
    [s3Keys, 'GATELODGE_AVATARS'],
    [{ GATELODGE_AVATARS_KEY_ID: 'with space' }, 'GATELODGE_AVATARS_KEY_ID'],
    ...[
      's3',
      's3://pictures',
      's3://pictures?region=x',
      's3://pictures?endpoint=https://s3.example.com',
      's3://pictures?endpoint=s3.example.com&region=x',
      's3://pictures?endpoint=https://s3.example.com&region=x&acl=public',
      's3://pictures?endpoint=https://key:secret@s3.example.com&region=x',
      's3://pictures?endpoint=https://s3.example.com&region=X Y',
      's3://pictures/../others?endpoint=https://s3.example.com&region=x',
      's3://P?endpoint=https://s3.example.com&region=x',
      '/var/avatars',
    ].map((text) => [{ GATELODGE_AVATARS: text, ...s3Keys }, 'GATELODGE_AVATARS'] as const),
  ] as const) {
    assert.throws(
      () => read(env),
      (error) => isAuthError(error, 'config_invalid') && error.faults.some((fault) => fault.field === field),
      JSON.stringify(env),
    )
  }
  const clear = { GATELODGE_AVATARS: s3.replace('https', 'http'), ...s3Keys }
  assert.match(read(clear).warnings.join(), /GATELODGE_AVATARS names a plain http/)
})
