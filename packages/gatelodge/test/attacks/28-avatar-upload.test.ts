import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import sharp from 'sharp'
import { createAvatarRenderer } from '../../src/domain/avatars/render.ts'
import { createApp } from '../../src/http/app.ts'
import { problemPage } from '../../src/pages/problem-page.ts'
import { pages, routes } from '../../src/routes.ts'
import { forEachDatabase, type TestApp, testApp } from '../support/app.ts'
import { stored } from '../support/attack.ts'
import { blackRows, dataFolder, multipart, plain, png, pngChunk, upload } from '../support/images.ts'
import { until } from '../support/until.ts'
import { listen, request } from '../support/wire.ts'

const script = '<script>alert(document.cookie)</script>'
const path = '/api/v1/auth/me/avatar'

async function shownBy(app: TestApp, avatarUrl: string) {
  const response = await app.composition.fetch(new Request(`http://localhost:3000${avatarUrl}`))
  return { headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) }
}

forEachDatabase('28 avatar upload', (engine) => {
  test('whatever a file is called or says it is, it lands under our name and is judged by its content', async () => {
    using data = dataFolder()
    await using app = await testApp({ engine, env: data.env })
    const cookie = await app.cookie(await app.user())
    const picture = await plain(20, 20).png().toBuffer()
    for (const filename of [
      '../../x.png',
      '..\\..\\x.png',
      'C:\\x.png',
      '/etc/passwd',
      'x.png\0.html',
      'x.svg',
      'x.php',
      '%2e%2e%2fx',
      '.htaccess',
      'a'.repeat(255),
      '',
    ]) {
      const told = await upload(app, { cookie }, picture, { filename, type: 'text/html' })
      assert.equal(told.status, 200, filename)
      assert.match(told.json.avatar_url, /^\/avatars\/[0-9a-f]{32}-320\.webp$/)
      assert.equal(data.files().length, 2)
      assert.deepEqual(readdirSync(data.folder), ['avatars'])
    }
    const svg = Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">${script}</svg>`)
    for (const content of [
      svg,
      Buffer.from(`GIF89a/*${'x'.repeat(99)}*/=1;alert(1)`),
      Buffer.from(`<html>${script}`),
    ]) {
      for (const type of ['image/png', 'image/svg+xml', 'application/octet-stream']) {
        const told = await upload(app, { cookie }, content, { filename: 'me.png', type })
        assert.deepEqual([told.status, told.code], [400, 'image_invalid'])
      }
    }
  })

  test('a picture that is also a page, a script or an archive is only a picture afterwards', async () => {
    using data = dataFolder()
    await using app = await testApp({ engine, env: { ...data.env, GATELODGE_RATE_LIMITS: 'off' } })
    const cookie = await app.cookie(await app.user())
    const zip = Buffer.from('PK\x03\x04 attachment.exe PK\x05\x06', 'latin1')
    const marks = /script|alert|attachment|<\?php|svg|html/i
    const jpeg = await plain(33, 33).jpeg().toBuffer()
    const comment = Buffer.from(`\xff\xfe\0${String.fromCharCode(script.length + 2)}${script}`, 'latin1')
    for (const content of [
      Buffer.concat([await plain(33, 33).png().toBuffer(), zip]),
      Buffer.concat([await plain(33, 33).png().toBuffer(), Buffer.from(`<html>${script}`)]),
      png(33, 33, [pngChunk('tEXt', Buffer.from(`Comment\0${script}`)), blackRows(33, 33)]),
      png(33, 33, [pngChunk('scRi', Buffer.from(script)), blackRows(33, 33)]),
      Buffer.concat([jpeg, Buffer.from(`<?php ${script}`)]),
      Buffer.concat([jpeg.subarray(0, 2), comment, jpeg.subarray(2)]),
      Buffer.concat([await plain(33, 33).webp().toBuffer(), zip]),
      Buffer.concat([await plain(33, 33).avif({ effort: 0 }).toBuffer(), Buffer.from(script)]),
      await plain(33, 33)
        .jpeg()
        .withExif({ IFD0: { ImageDescription: script } })
        .toBuffer(),
      await plain(33, 33).webp().withXmp(`<x>${script}</x>`).toBuffer(),
    ]) {
      assert.match(content.toString('latin1'), marks)
      const told = await upload(app, { cookie }, content)
      assert.equal(told.status, 200, told.text)
      for (const size of ['320', '96']) {
        const { headers, bytes } = await shownBy(app, told.json.avatar_url.replace('-320', `-${size}`))
        assert.doesNotMatch(bytes.toString('latin1'), marks)
        assert.equal((await sharp(bytes).metadata()).format, 'webp')
        assert.equal(headers.get('content-type'), 'image/webp')
        assert.equal(headers.get('x-content-type-options'), 'nosniff')
        assert.equal(headers.get('content-security-policy'), "default-src 'none'; sandbox")
      }
    }
  })

  test('no path below /avatars leaves the folder', async () => {
    using data = dataFolder()
    await using app = await testApp({ engine, env: data.env })
    for (const file of [
      '..%2f..%2fgatelodge.db',
      '%2e%2e%2fsecret',
      '..%5csecret',
      'x%00-96.webp',
      `${'0'.repeat(32)}-96.webp`,
      `${'0'.repeat(32)}-96.webp%00`,
      `${'0'.repeat(32)}-1.webp`,
      '%c0%ae%c0%ae',
      'secret',
    ]) {
      assert.equal((await app.get(`/avatars/${file}`)).status, 404, file)
    }
  })

  test('refused uploads leave the account, the rows and the folder as they were', async () => {
    using data = dataFolder()
    await using app = await testApp({ engine, env: data.env })
    const cookie = await app.cookie(await app.user())
    await app.composition.deliverMail()
    const before = await stored(app)
    const picture = await plain(9, 9).png().toBuffer()
    const two = multipart([{ content: picture }, { content: picture }])
    const none = multipart([])
    const other = multipart([{ name: 'picture', content: picture }])
    for (const [body, type, status, code] of [
      [two.body, two.type, 400, 'input_invalid'],
      [none.body, none.type, 400, 'input_invalid'],
      [other.body, other.type, 400, 'input_invalid'],
      [picture, 'image/png', 415, 'media_type_unsupported'],
      [picture, 'application/json', 415, 'media_type_unsupported'],
      [two.body.subarray(0, -40), two.type, 400, 'input_invalid'],
    ] as const) {
      const told = await app.ask('PUT', '/me/avatar', body, { cookie, headers: { 'content-type': type } })
      assert.deepEqual([told.status, told.code], [status, code])
    }
    assert.equal((await upload(app, { cookie, crossSite: true }, picture)).code, 'cross_site')
    assert.equal((await upload(app, {}, picture)).code, 'not_authenticated')
    assert.equal((await upload(app, { cookie }, Buffer.alloc(5 * 1024 * 1024 + 1))).code, 'image_too_large')
    assert.equal((await upload(app, { cookie }, png(65_535, 65_535, [blackRows(9, 9)]))).code, 'image_too_large')
    assert.deepEqual(await stored(app), before)
    assert.deepEqual([data.files(), await app.rows('avatar_removals')], [[], []])
  })

  test('uploads of one client are counted: after 60 within ten minutes it has to wait', async () => {
    using data = dataFolder()
    await using app = await testApp({ engine, env: data.env })
    const cookie = await app.cookie(await app.user())
    for (let count = 0; count < 60; count += 1) {
      assert.equal((await upload(app, { cookie }, Buffer.from('x'))).code, 'image_invalid')
    }
    assert.equal((await upload(app, { cookie }, Buffer.from('x'))).code, 'rate_limited')
    assert.equal((await upload(app, { cookie, ip: '192.0.2.99' }, Buffer.from('x'))).code, 'image_invalid')
  })

  test('a photo just too large gets an answer that its sender can read; a body without an end is cut off, in bounded memory', async () => {
    using data = dataFolder()
    await using app = await testApp({ engine, env: data.env })
    const { access } = await app.tokens(await app.user())
    await using wire = await listen(app)
    const authorization = `Bearer ${access}`
    const { body, type } = multipart([{ content: Buffer.alloc(5 * 1024 * 1024 + 1) }])
    const head = { authorization, 'content-type': type }

    const whole = request(`PUT ${path}`, { ...head, 'content-length': String(body.length) })
    const [large] = await wire.send(Buffer.concat([Buffer.from(whole), body]))
    assert.equal(large?.status, 413)
    assert.equal(JSON.parse(large?.body ?? '').code, 'image_too_large')

    const [claimed] = await wire.send(request(`PUT ${path}`, { ...head, 'content-length': '10000000000' }))
    assert.equal(claimed?.status, 413)

    let sent = 0
    let most = 0
    const before = process.memoryUsage().arrayBuffers
    async function* endless() {
      yield request(`PUT ${path}`, { ...head, 'transfer-encoding': 'chunked' })
      const chunk = Buffer.from(`10000\r\n${'x'.repeat(65_536)}\r\n`)
      for (;;) {
        yield chunk
        sent += 65_536
        most = Math.max(most, process.memoryUsage().arrayBuffers - before)
        if (sent > 200_000_000) return
      }
    }
    const [cut] = await wire.send(endless(), 15_000)
    assert.equal(cut?.status, 413)
    assert.ok(sent < 150_000_000, `the connection took ${sent} bytes`)
    assert.ok(most < 60_000_000, `${most} bytes were held`)
    assert.equal((await wire.send(request('GET /healthz')))[0]?.status, 200)
  })

  test('a client without a session is answered before the body is read', async () => {
    await using app = await testApp({ engine })
    await using wire = await listen(app)
    const { type } = multipart([])
    const headers = { 'content-type': type, 'content-length': '5000000' }
    const [answer] = await wire.send(request(`PUT ${path}`, headers))
    assert.equal(answer?.status, 401)
  })

  test('slow uploads are answered and closed, do not block other users, and leave nothing behind', async () => {
    using data = dataFolder()
    await using app = await testApp({ engine, env: data.env })
    const [slow, quick] = [await app.tokens(await app.user()), await app.tokens(await app.user())]
    const hasty = routes.map((route) =>
      route.upload ? { ...route, upload: { ...route.upload, patience: 400 } } : route,
    )
    const fetch = createApp(app.deps, [...hasty, ...pages], problemPage)
    await using wire = await listen({ composition: { fetch } })
    const { body, type } = multipart([{ content: await plain(9, 9).png().toBuffer() }])
    const head = (access: string) => ({
      authorization: `Bearer ${access}`,
      'content-type': type,
      'content-length': String(body.length),
    })

    async function* drops() {
      yield request(`PUT ${path}`, { ...head(slow.access), 'content-length': '1000000' })
      for (let at = 0; at < 100; at += 1) {
        yield body.subarray(at, at + 1)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
    const started = performance.now()
    const hanging = [wire.send(drops()), wire.send(request(`PUT ${path}`, head(slow.access)))]
    // Both slots of one account are taken, and another account is not affected.
    const empty = request(`PUT ${path}`, { ...head(slow.access), 'content-length': '0' })
    await until(async () => (await wire.send(empty))[0]?.status === 503)
    const [served] = await wire.send(Buffer.concat([Buffer.from(request(`PUT ${path}`, head(quick.access))), body]))
    assert.equal(served?.status, 200)

    for (const [answer] of await Promise.all(hanging)) {
      assert.equal(answer?.status, 400)
      assert.equal(JSON.parse(answer?.body ?? '').errors[0].code, 'too_slow')
    }
    assert.ok(performance.now() - started < 4_000)
    assert.equal(data.files().length, 2)
    const [after] = await wire.send(Buffer.concat([Buffer.from(request(`PUT ${path}`, head(slow.access))), body]))
    assert.equal(after?.status, 200)
  })

  test('a sender who disconnects in the middle leaves nothing behind, and its slot is free again', async () => {
    using data = dataFolder()
    await using app = await testApp({ engine, env: data.env })
    const { access } = await app.tokens(await app.user())
    await using wire = await listen(app)
    const { body, type } = multipart([{ content: await plain(9, 9).png().toBuffer() }])
    const head = { authorization: `Bearer ${access}`, 'content-type': type, 'content-length': String(body.length) }
    const start = request(`PUT ${path}`, head)
    await Promise.all([wire.send(start, 50), wire.send(start + body.subarray(0, 50).toString('latin1'), 50)])
    await until(async () => (await wire.send(Buffer.concat([Buffer.from(start), body])))[0]?.status === 200)
    assert.equal(data.files().length, 2)
    assert.deepEqual(
      app.logged.filter(({ level }) => level === 'error'),
      [],
    )
  })

  test('pictures that take long to read do not hold up password checks', async () => {
    await using app = await testApp({ engine })
    const ada = await app.user()
    const heavy = await plain(4_000, 3_000).png({ compressionLevel: 1 }).toBuffer()
    const renderer = createAvatarRenderer()
    let made = 0
    const rendering = Array.from({ length: 4 }, () => renderer.render(heavy).finally(() => (made += 1)))
    await app.tokens(ada)
    assert.ok(made < 4, 'all pictures were made before one password was checked')
    await Promise.all(rendering)
  })
})
