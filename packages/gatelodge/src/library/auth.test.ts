import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { forEachDatabase } from '../../test/support/app.ts'
import { password, testAuth } from '../../test/support/auth.ts'
import { freshDatabase } from '../../test/support/databases.ts'
import { recordingLog, testSecret } from '../../test/support/deps.ts'
import * as library from '../index.ts'
import { AuthError, type FieldFault, isAuthError, TokenError } from '../kernel/errors.ts'
import { operations, pureOperations } from './api.ts'
import { type Auth, createAuth } from './auth.ts'
import { raising } from './naming.ts'
import type { AuthSettings } from './settings.ts'

/** What the library promises by name. */
const promised = [
  'registerUser',
  'authenticateUser',
  'loginUser',
  'logoutUser',
  'statelessLogout',
  'refreshToken',
  'validateToken',
  'checkUsernameExists',
  'getLoggedInUser',
  'getCurrentUser',
  'introspectToken',
  'getToken',
  'createAccessToken',
  'getJwtPayload',
  'getValidatedTokenPayload',
  'createPasswordResetToken',
  'verifyPasswordResetToken',
  'hashPassword',
  'verifyPassword',
  'validateEmail',
  'sendEmailMessage',
  'getUserRepository',
  'getSession',
]
const flowOperations = [
  'replaceInitialPassword',
  'verifyEmail',
  'resendVerification',
  'requestPasswordReset',
  'resetPassword',
  'changePassword',
  'requestEmailChange',
  'confirmEmailChange',
  'undoEmailChange',
  'undoSecurityChange',
  'updateProfile',
  'listSessions',
  'revokeSession',
  'exportOwnData',
  'deleteOwnAccount',
]
const errors = [
  'AuthError',
  'InvalidToken',
  'TokenError',
  'UserNotFound',
  'NotAuthenticated',
  'InvalidAuthorizationHeader',
  'InvalidCredentialsError',
  'MissingFieldError',
  'UserAlreadyExistsError',
  'SessionValidationError',
  'NoAuthUserError',
  'PasswordChangeRequiredError',
  'AuthServiceUnavailable',
]

test('the entry exports what the contract names, and nothing else', () => {
  const names = [...promised, ...flowOperations, ...errors, 'createAuth', 'isAuthError', 'toNodeHandler', 'version']
  assert.deepEqual(Object.keys(library).toSorted(), names.toSorted())
})

forEachDatabase('the library', (engine) => {
  test('auth.api has every exported operation', async () => {
    await using app = await testAuth({ engine })
    assert.deepEqual(Object.keys(app.auth.api).toSorted(), [...promised, ...flowOperations].toSorted())
    for (const [name, operation] of Object.entries({ ...operations, ...pureOperations })) {
      assert.equal(Object.entries(library).find(([exported]) => exported === name)?.[1], operation)
    }
  })

  test('fetch and api work on one set of sessions', async () => {
    await using app = await testAuth({ engine, settings: { registration: 'instant' } })
    const result = await app.auth.api.registerUser({ email: 'ada@example.com', password })
    assert.equal(result.status, 'signed_in')
    const ask = () =>
      app.auth.fetch(
        new Request('http://localhost:3000/api/v1/auth/session', {
          headers: { authorization: `Bearer ${result.accessToken}` },
        }),
      )
    assert.equal((await ask()).status, 200)
    await app.auth.api.logoutUser(result.accessToken)
    assert.equal((await ask()).status, 401)
  })

  test('the library reads no environment variable', async () => {
    process.env.GATELODGE_REGISTRATION = 'closed'
    try {
      await using app = await testAuth({ engine, settings: { registration: 'instant' } })
      const result = await app.auth.api.registerUser({ email: 'ada@example.com', password })
      assert.equal(result.status, 'signed_in')
    } finally {
      delete process.env.GATELODGE_REGISTRATION
    }
  })

  test('warnings of the settings go to the log', async () => {
    await using app = await testAuth({ engine, settings: { registration: 'instant', rateLimits: 'off' } })
    const warnings = app.logged.filter(({ level }) => level === 'warn').map(({ message }) => message)
    assert.ok(warnings.some((text) => text.startsWith("rateLimits: 'off'")))
  })

  test('without a secret one is made in the data folder once and used again', async () => {
    const dataDir = join(mkdtempSync(join(tmpdir(), 'gatelodge-library-')), 'data')
    const database = await freshDatabase(engine)
    const settings = { dataDir, database: database.location, registration: 'instant' }
    const options = { settings, log: recordingLog([]), startJobs: false }
    try {
      const first = await createAuth(options)
      const result = await first.api.registerUser({ email: 'ada@example.com', password })
      assert.equal(result.status, 'signed_in')
      await first.close()
      assert.equal(statSync(join(dataDir, 'secret')).mode & 0o777, 0o600)
      assert.equal(Buffer.from(readFileSync(join(dataDir, 'secret'), 'utf8').trim(), 'base64url').length, 32)

      const second = await createAuth(options)
      assert.equal((await second.api.getLoggedInUser(result.accessToken)).email, 'ada@example.com')
      await second.close()
    } finally {
      await database.release()
      rmSync(join(dataDir, '..'), { recursive: true })
    }
  })

  test('jobs run from the start unless told otherwise, and close waits for them', async () => {
    await using app = await testAuth({ engine, startJobs: true })
    await app.auth.api.sendEmailMessage({ to: 'ada@example.com', subject: 'Hello', text: 'Hello', html: 'Hello' })
  })

  test('an Auth shows nothing of what stands behind it', async () => {
    await using app = await testAuth({ engine })
    assert.doesNotMatch(inspect(app.auth, { depth: 9, showHidden: true }), /keyring|hasher|secret/i)
  })
})

test('every named error is an AuthError', async () => {
  for (const name of errors) {
    const Named = Object.entries(library).find(([exported]) => exported === name)?.[1]
    assert.ok(Named === AuthError || Object.getPrototypeOf(Object.getPrototypeOf(Named)) === AuthError, name)
  }
})

test('settings that are unknown or bad stop createAuth, each with its name', async () => {
  const faultsOf = async (settings: Record<string, string>): Promise<readonly FieldFault[]> => {
    const error: unknown = await createAuth({ settings, secret: testSecret }).then(
      () => undefined,
      (failed) => failed,
    )
    assert.ok(isAuthError(error, 'config_invalid'))
    return error.faults
  }
  assert.deepEqual(
    (await faultsOf({ databse: 'x', secret: 'y' })).map(({ field }) => field),
    ['databse', 'secret'],
  )
  assert.deepEqual(
    (await faultsOf({ resetTtl: 'soon' })).map(({ field }) => field),
    ['resetTtl'],
  )
  await assert.rejects(createAuth({ secret: 'short' }), (error) => isAuthError(error, 'config_invalid'))
})

test('faults and warnings are told all at once, by the names that the host wrote', async () => {
  const wrong = { databse: 'x', resetTtl: 'soon', publicUrl: 'http://auth.example.com' } as unknown as AuthSettings
  await assert.rejects(createAuth({ settings: wrong, secret: testSecret }), ({ message }: Error) => {
    assert.match(message, /^databse is not a known setting; did you mean database\?; resetTtl must be /)
    assert.match(message, /; publicUrl is plain http .* accept it with insecureHttp: 'yes'; smtp is not set /)
    assert.doesNotMatch(message, /GATELODGE/)
    return true
  })
  await using app = await testAuth({ engine: 'sqlite', settings: { registration: 'instant', rateLimits: 'off' } })
  const warnings = app.logged.filter(({ level }) => level === 'warn').map(({ message }) => message)
  assert.ok(warnings.some((text) => text.startsWith("rateLimits: 'off': nothing limits")))
  assert.ok(warnings.every((text) => !text.includes('GATELODGE')))
})

test('a library that sends real emails or has a proxy needs its public URL', async () => {
  const isRequired = (error: unknown) =>
    isAuthError(error, 'config_invalid') &&
    error.faults.some(({ field, code }) => field === 'publicUrl' && code === 'required')
  for (const settings of [{ smtp: 'smtp://mail.example.com' }, { trustedProxies: '10.0.0.1' }]) {
    await assert.rejects(createAuth({ settings, secret: testSecret }), isRequired)
    await using app = await testAuth({
      engine: 'sqlite',
      settings: { ...settings, publicUrl: 'https://auth.example.com', smtp: 'smtp://mail.example.com' },
    })
    assert.ok(app.auth)
  }
})

test('the first request to another host than the public URL’s is a warning in the log, and only the first', async () => {
  await using app = await testAuth({ engine: 'sqlite' })
  const warnings = () => app.logged.filter(({ message }) => /another host than publicUrl/.test(message)).length
  await app.auth.fetch(new Request('http://localhost:3000/healthz'))
  assert.equal(warnings(), 0)
  for (const host of ['127.0.0.1:3000', 'auth.example.com', 'localhost:4000'])
    assert.equal((await app.auth.fetch(new Request(`http://${host}/healthz`))).status, 200)
  assert.equal(warnings(), 1)
})

test('without a mail server the address of the mailbox and each link are printed, unless the host does not want that', () => {
  const program = (printMails: boolean) => `
    import { createAuth } from ${JSON.stringify(new URL('../index.ts', import.meta.url).href)}
    const auth = await createAuth({
      settings: { database: 'sqlite::memory:', passwordHash: 'm=7168,t=5,p=1', logLevel: 'error' },
      secret: ${JSON.stringify(testSecret)},
      printMails: ${printMails},
    })
    await auth.api.registerUser({ email: 'ada@example.com', password: ${JSON.stringify(password)} })
    const mailbox = new Request('http://localhost:3000/dev/mailbox', { headers: { host: 'localhost:3000' } })
    while (!(await (await auth.fetch(mailbox.clone(), { peer: '127.0.0.1' })).text()).includes('ada@example.com'))
      await new Promise((resolve) => setImmediate(resolve))
    await auth.close()`
  for (const printMails of [true, false]) {
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program(printMails)], {
      encoding: 'utf8',
    })
    assert.equal(status, 0, stderr)
    assert.equal(/emails stay in http:\/\/localhost:3000\/dev\/mailbox$/m.test(stderr), printMails)
    assert.equal(
      /^Mail to ada@example\.com: .* http:\/\/localhost:3000\/verify-email\?token=/m.test(stderr),
      printMails,
    )
  }
})

test('one SQLite file has one library with jobs at a time, and one that failed to open holds nothing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatelodge-library-'))
  const settings = { database: `sqlite:${join(folder, 'data', 'gatelodge.db')}`, dataDir: folder }
  const options = { settings, secret: testSecret, log: recordingLog([]) }
  try {
    const first = await createAuth(options)
    await assert.rejects(createAuth(options), (error) => isAuthError(error, 'service_unavailable'))
    await (await createAuth({ ...options, startJobs: false })).close()
    await first.close()

    const wrongSecret = createAuth({ ...options, secret: `another ${testSecret}` })
    await assert.rejects(wrongSecret, (error) => isAuthError(error, 'config_invalid'))
    await (await createAuth(options)).close()
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('the package offers its entry and the contract suite', async () => {
  const { createAuth: exported } = await import('gatelodge')
  assert.equal(exported, createAuth)
  const contracts = await import('gatelodge/contracts')
  assert.deepEqual(Object.keys(contracts), ['userRepositoryContract'])
})

test('an operation refuses an Auth that createAuth did not make', async () => {
  await assert.rejects(library.getLoggedInUser({} as Auth, 'x'), (error) => isAuthError(error, 'internal'))
})

test('at the boundary a failure keeps detail, faults and Retry-After, and an unexpected one becomes internal', async () => {
  const limited = new AuthError('token_invalid', { detail: 'Too late', retryAfter: 7 })
  const isNamed = (error: unknown) =>
    error instanceof TokenError && error.detail === 'Too late' && error.retryAfter === 7 && error.cause === limited
  await assert.rejects(
    raising({ token_invalid: TokenError }, () => Promise.reject(limited)),
    isNamed,
  )

  const bug = new TypeError('x is not a function')
  const isInternal = (error: unknown) => isAuthError(error, 'internal') && error.cause === bug
  await assert.rejects(
    raising({}, () => Promise.reject(bug)),
    isInternal,
  )
})
