import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testClock } from '../../test/support/deps.ts'
import { sessionIdOf, systemActor, userIdOf } from './actor.ts'
import { durationInWords, formatDuration, parseDuration } from './duration.ts'
import {
  AuthError,
  AuthServiceUnavailable,
  errorTable,
  InvalidAuthorizationHeader,
  InvalidCredentialsError,
  InvalidToken,
  invalidField,
  isAuthError,
  MissingFieldError,
  NoAuthUserError,
  NotAuthenticated,
  readAll,
  SessionValidationError,
  TokenError,
  UserAlreadyExistsError,
  UserNotFound,
  undefinedOn,
} from './errors.ts'
import { isUuid, newId, newToken, parseToken, sameText, uuidv7 } from './ids.ts'
import { isLoopbackHost } from './loopback.ts'
import { systemRandom } from './random.ts'
import { createKeyring, deriveKey, openWith, sealWith } from './sealing.ts'

test('an error has its code, the default detail and its cause', () => {
  const cause = new Error('inner')
  const error = new AuthError('rate_limited', { retryAfter: 3, cause })
  assert.deepEqual(
    [error.code, error.detail, error.retryAfter, error.cause],
    ['rate_limited', errorTable.rate_limited[1], 3, cause],
  )
  assert.equal(isAuthError(error, 'rate_limited'), true)
  assert.equal(isAuthError(error, 'internal'), false)
  assert.equal(isAuthError(cause), false)
  assert.deepEqual(invalidField('a', 'invalid', 'c').faults, [{ field: 'a', code: 'invalid', message: 'c' }])
})

test('the error names of other libraries are AuthErrors with a fixed code', () => {
  const codes = [
    [InvalidToken, 'token_invalid'],
    [TokenError, 'token_invalid'],
    [UserNotFound, 'user_not_found'],
    [NotAuthenticated, 'not_authenticated'],
    [InvalidAuthorizationHeader, 'not_authenticated'],
    [InvalidCredentialsError, 'invalid_credentials'],
    [MissingFieldError, 'input_invalid'],
    [UserAlreadyExistsError, 'email_taken'],
    [SessionValidationError, 'token_invalid'],
    [NoAuthUserError, 'not_authenticated'],
    [AuthServiceUnavailable, 'service_unavailable'],
  ] as const
  for (const [Kind, code] of codes) {
    const error = new Kind({ detail: 'why' })
    assert.ok(error instanceof AuthError)
    assert.deepEqual([error.code, error.name, error.detail], [code, Kind.name, 'why'])
  }
})

test('all readers run: their field errors are collected, and any other error is thrown immediately', () => {
  const raising = (error: Error) => () => {
    throw error
  }
  assert.deepEqual(
    readAll(
      () => 1,
      () => 'two',
    ),
    [1, 'two'],
  )
  assert.throws(
    () => readAll(raising(invalidField('a', 'required', 'A')), () => 2, raising(invalidField('b', 'required', 'B'))),
    (error) => error instanceof AuthError && error.faults.map(({ field }) => field).join() === 'a,b',
  )
  assert.throws(() => readAll(raising(invalidField('a', 'required', 'A')), raising(new TypeError('other'))), TypeError)
})

test('one error code is turned into undefined; every other error is rethrown', async () => {
  const raising = (error: Error) => () => Promise.reject(error)
  assert.equal(await undefinedOn('token_invalid', () => Promise.resolve(1)), 1)
  assert.equal(await undefinedOn('token_invalid', raising(new InvalidToken())), undefined)
  await assert.rejects(undefinedOn('token_invalid', raising(new UserNotFound())), UserNotFound)
  await assert.rejects(undefinedOn('token_invalid', raising(new TypeError('other'))), TypeError)
})

test('a duration is a positive number with a unit', () => {
  const good = {
    '1ms': 1,
    '1s': 1_000,
    '15m': 900_000,
    '1.5h': 5_400_000,
    '7d': 604_800_000,
    '999999999s': 999_999_999_000,
  }
  for (const [text, milliseconds] of Object.entries(good)) assert.equal(parseDuration(text), milliseconds, text)
  for (const text of ['', '0s', '-1s', '15', '1 h', '1w', '1e3s', '0.0001ms', '999999999d'])
    assert.equal(parseDuration(text), undefined, text)
})

test('a duration is formatted as the shortest exact text and in words', () => {
  assert.deepEqual([900_000, 86_400_000, 1_500, 3_600_000, 7].map(formatDuration), ['15m', '1d', '1500ms', '1h', '7ms'])
  assert.equal(durationInWords(90_000_000), '1 day and 1 hour')
  assert.equal(durationInWords(1_800_000), '30 minutes')
  assert.equal(durationInWords(30_000), '30 seconds')
  assert.equal(durationInWords(1), '1 second')
})

test('user ids are UUIDs of version 7 that sort by creation, even when the clock stops or is set back', () => {
  const clock = testClock()
  const ids = Array.from({ length: 9_000 }, () => uuidv7(clock, systemRandom))
  clock.advance(-5_000)
  ids.push(uuidv7(clock, systemRandom))
  clock.advance(60_000)
  ids.push(uuidv7(clock, systemRandom))
  assert.deepEqual(ids, ids.toSorted())
  assert.equal(new Set(ids).size, ids.length)
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.equal(isUuid(ids[0] ?? ''), true)
  assert.equal(isUuid('nonsense'), false)
})

test('a token is an id and a 256-bit secret, and nothing else parses', () => {
  const token = newToken(systemRandom)
  assert.deepEqual(parseToken(token.text), { id: token.id, secret: token.secret })
  assert.equal(Buffer.from(token.secret, 'base64url').length, 32)
  for (const text of ['', 'a.b', `${token.text}x`, token.text.replace('.', ':'), `${token.text}.x`])
    assert.equal(parseToken(text), undefined)
  assert.match(newId(systemRandom), /^[\w-]{22}$/)
})

test('texts are compared completely', () => {
  assert.equal(sameText('abc', 'abc'), true)
  assert.equal(sameText('abc', 'abd'), false)
  assert.equal(sameText('abc', 'abcd'), false)
})

test('a sealed text opens only with the same secret, purpose and context', () => {
  const keyring = createKeyring('a secret', systemRandom)
  const sealed = keyring.seal('mail', 'text', 'row 1')
  assert.equal(keyring.open('mail', sealed, 'row 1'), 'text')
  assert.equal(keyring.open('mail', sealed, 'row 2'), undefined)
  assert.equal(keyring.open('signing-key', sealed, 'row 1'), undefined)
  assert.equal(createKeyring('another', systemRandom).open('mail', sealed, 'row 1'), undefined)
  assert.equal(keyring.open('mail', `${sealed.slice(0, -2)}AA`, 'row 1'), undefined)
  assert.equal(keyring.open('mail', 'short', 'row 1'), undefined)
  assert.notEqual(keyring.seal('mail', 'text', 'row 1'), sealed)
  assert.notEqual(keyring.mac('limit', 'x'), keyring.mac('device', 'x'))
})

test('a text sealed with a derived key opens with the same derivation', () => {
  const sealed = sealWith(deriveKey('secret', 'purpose'), systemRandom, 'text', 'context')
  assert.equal(openWith(deriveKey('secret', 'purpose'), sealed, 'context'), 'text')
  assert.equal(openWith(deriveKey('secret', 'other'), sealed, 'context'), undefined)
})

test('an actor that did not come over the network has no address, session or cookie', () => {
  const actor = systemActor('command', 'user create')
  assert.deepEqual(
    [actor.kind, actor.ip, userIdOf(actor), sessionIdOf(actor), actor.deviceCookie],
    ['command', null, null, null, null],
  )
})

test('loopback names and addresses are distinguished from others', () => {
  for (const host of ['localhost', 'LOCALHOST', 'app.localhost', '127.0.0.1', '127.9.9.9', '::1', '[::1]'])
    assert.equal(isLoopbackHost(host), true, host)
  for (const host of ['localhost.example', '128.0.0.1', '::2', '0.0.0.0', 'localhos', ''])
    assert.equal(isLoopbackHost(host), false, host)
})
