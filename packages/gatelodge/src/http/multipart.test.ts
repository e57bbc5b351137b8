import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type FilePart, multipart } from '../../test/support/images.ts'
import { AuthError } from '../kernel/errors.ts'
import { readUpload, type UploadSpec } from './multipart.ts'
import { createUploadSlots } from './upload-slots.ts'

const spec: UploadSpec = { field: 'avatar', maxBytes: 1_000, tooLarge: 'image_too_large', types: [], patience: 5_000 }

function read(
  body: NonNullable<RequestInit['body']>,
  type: string,
  fields: readonly string[] = [],
  wish: Partial<UploadSpec> = {},
) {
  const headers = { 'content-type': type }
  const request = new Request('http://localhost/', { method: 'PUT', body, headers, duplex: 'half' } as RequestInit)
  return readUpload(request, { ...spec, ...wish }, fields)
}

async function faultOf(asked: Promise<unknown>): Promise<string> {
  const error = await asked.then(
    () => assert.fail('it was read'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof AuthError, String(error))
  const [fault] = error.faults
  return fault ? `${fault.field} ${fault.code}` : error.code
}

function parts(...given: FilePart[]) {
  const { body, type } = multipart(given)
  return [body, type] as const
}

test('one file is read byte for byte, as browsers, fetch and curl send it, with the known text fields', async () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
  const form = new FormData()
  form.set('token', 'a\u00e9')
  form.set('avatar', new Blob([bytes]), '"../x\r\n.png')
  const sent = new Request('http://localhost/', { method: 'PUT', body: form })
  const type = sent.headers.get('content-type') ?? ''
  assert.deepEqual(await read(await sent.bytes(), type, ['token']), { file: bytes, fields: { token: 'a\u00e9' } })

  for (const boundary of ['x', "a'()+_,-./:=?b", 'b'.repeat(70)]) {
    const { body } = multipart([{ content: bytes }], boundary)
    const quoted = `multipart/form-data; boundary="${boundary}"`
    assert.deepEqual(await read(body, quoted), { file: bytes, fields: {} })
  }
  const { body: plainBody } = multipart([{ content: bytes }], 'XX')
  for (const type of [
    'multipart/form-data; charset=utf-8; boundary=XX',
    'multipart/form-data; boundary=XX; charset="UTF-8"',
    'Multipart/Form-Data ; Boundary=XX ;',
  ])
    assert.deepEqual(await read(plainBody, type), { file: bytes, fields: {} }, type)
  for (const content of ['\r\n', '\r\n--', '--a-boundary-of-the-tests', '\r\n--a-boundary-of-the-test', '\r\n\r\n']) {
    assert.equal(Buffer.from((await read(...parts({ content }))).file).toString(), content)
  }
})

test('a missing, second or unknown part is rejected by name', async () => {
  const content = 'x'
  assert.equal(await faultOf(read(...parts())), 'avatar required')
  assert.equal(await faultOf(read(...parts({ content: '' }))), 'avatar required')
  assert.equal(await faultOf(read(...parts({ name: 'other', content }))), 'other unknown')
  assert.equal(await faultOf(read(...parts({ name: '<b>', content }))), 'body unknown')
  assert.equal(await faultOf(read(...parts({ content }, { content }))), 'body too_many')
  assert.equal(await faultOf(read(...parts({ content }, { content }), ['token'])), 'avatar duplicate')
  assert.equal(await faultOf(read(...parts({ name: 'token', content }), ['token'])), 'avatar required')
})

test('anything other than a multipart body is rejected', async () => {
  const { body, type } = multipart([{ content: 'x' }])
  for (const other of [
    '',
    'application/json',
    'multipart/form-data',
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary="x',
    `multipart/form-data; boundary=${'x'.repeat(71)}`,
    'multipart/mixed; boundary=a-boundary-of-the-tests',
    `${type}; charset=latin1`,
    `${type}, text/plain`,
    'multipart/form-data; boundary=a b',
  ]) {
    assert.equal(await faultOf(read(body, other)), 'media_type_unsupported', other)
  }

  const text = body.toString('latin1')
  for (const broken of [
    '',
    'x',
    `preamble\r\n${text}`,
    text.replace('\r\n', '\n'),
    text.replace('\r\n\r\n', '\r\n'),
    text.replace('form-data;', 'attachment;'),
    text.replace('name="avatar"', 'name=avatar'),
    text.replace('name="avatar"', 'name="a\\"b"'),
    text.replace('name="avatar"', `name="${'a'.repeat(2_000)}"`),
    text.replace('Content-Type:', 'Content-Disposition:'),
    text.replace('Content-Disposition:', 'X:'),
    text.replace('-tests', ' -tests'),
    text.slice(0, -4),
    text.slice(0, -8),
    text.slice(0, -30),
  ]) {
    assert.equal(await faultOf(read(Buffer.from(broken, 'latin1'), type)), 'body malformed', JSON.stringify(broken))
  }
})

test('a file is as large as allowed and no byte larger, however long the body is said to be', async () => {
  assert.equal((await read(...parts({ content: 'x'.repeat(1_000) }))).file.length, 1_000)
  assert.equal(await faultOf(read(...parts({ content: 'x'.repeat(1_001) }))), 'image_too_large')
  assert.equal(await faultOf(read(...parts({ content: 'x'.repeat(100_000) }))), 'image_too_large')

  const claims = new Request('http://localhost/', {
    method: 'PUT',
    body: endless(),
    headers: { 'content-type': 'multipart/form-data; boundary=x', 'content-length': '99999999' },
    duplex: 'half',
  } as RequestInit)
  assert.equal(await faultOf(readUpload(claims, spec)), 'image_too_large')
  const none = new Request('http://localhost/', { method: 'PUT', headers: { 'content-type': parts()[1] } })
  assert.equal(await faultOf(readUpload(none, spec)), 'body malformed')
})

test('of an endless body 16 MiB are read, and almost nothing is kept', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  let sent = 0
  const before = process.memoryUsage().arrayBuffers
  let most = 0
  const body = endless(() => {
    sent += 65_536
    if (sent % 2 ** 21 > 0) return
    collect()
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  })
  assert.equal(await faultOf(read(body, 'multipart/form-data; boundary=x')), 'image_too_large')
  assert.ok(sent <= 17 * 1024 * 1024, `${sent}`)
  assert.ok(most < 6_000_000, `${most}`)
})

test('a body that arrives too slowly, or breaks off, is abandoned', async () => {
  const slow = new ReadableStream({
    async pull(stream) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      stream.enqueue(new Uint8Array([45]))
    },
  })
  const type = 'multipart/form-data; boundary=x'
  assert.equal(await faultOf(read(slow, type, [], { patience: 60 })), 'body too_slow')
  const silent = new ReadableStream({ pull: () => new Promise(() => {}) })
  assert.equal(await faultOf(read(silent, type, [], { patience: 20 })), 'body too_slow')
  const broken = new ReadableStream({ pull: (stream) => stream.error(new Error('gone')) })
  assert.equal(await faultOf(read(broken, type)), 'body incomplete')
})

test('concurrent uploads are bounded, in total and per sender, and a slot is free again after a failure', async () => {
  const slots = createUploadSlots({ most: 3, each: 2 })
  const held = Promise.withResolvers<string>()
  const hold = () => held.promise
  const running = [slots.run('eve', hold), slots.run('eve', hold)]
  await assert.rejects(slots.run('eve', hold), { code: 'overloaded', retryAfter: 5 })
  running.push(slots.run('ada', hold))
  await assert.rejects(slots.run('bob', hold), { code: 'overloaded' })
  held.resolve('done')
  assert.deepEqual(await Promise.all(running), ['done', 'done', 'done'])

  for (let round = 0; round < 5; round += 1) {
    await assert.rejects(
      slots.run('eve', () => Promise.reject(new Error('x'))),
      { message: 'x' },
    )
  }
  assert.equal(await slots.run('eve', async () => 'again'), 'again')
})

function endless(told: () => void = () => {}): ReadableStream {
  return new ReadableStream({
    pull(stream) {
      told()
      stream.enqueue(new Uint8Array(65_536))
    },
  })
}
