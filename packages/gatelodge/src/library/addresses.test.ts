import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase } from '../../test/support/app.ts'
import { password, testAuth } from '../../test/support/auth.ts'
import { isAuthError, MissingFieldError } from '../kernel/errors.ts'
import { checkUsernameExists, getUserRepository, sendEmailMessage, validateEmail } from './addresses.ts'
import type { EmailMessage } from './input.ts'

test('validateEmail says whether a text is an address, with the sentence for the person', () => {
  for (const good of ['ada@example.com', 'ADA@bücher.example']) {
    assert.deepEqual(validateEmail(good), { valid: true, message: '' })
  }
  for (const bad of ['', 'ada', 'ada@', 'a b@example.com', 'ada@example.com\n', undefined as unknown as string]) {
    assert.deepEqual(validateEmail(bad), { valid: false, message: 'Enter a valid email address.' })
  }
})

const message: EmailMessage = { to: 'Ada@example.com', subject: 'Hello', text: 'Hello Ada', html: '<p>Hello Ada</p>' }

forEachDatabase('addresses of the library', (engine) => {
  test('checkUsernameExists answers true for an account’s name however it is written, else false', async () => {
    await using app = await testAuth({ engine })
    await getUserRepository(app.auth).create({ email: 'ada@example.com', password, username: 'ada' })
    assert.equal(await checkUsernameExists(app.auth, 'Ada'), true)
    assert.equal(await checkUsernameExists(app.auth, 'bob'), false)
    assert.equal(await checkUsernameExists(app.auth, 'ada@example.com'), false)
  })

  test('sendEmailMessage delivers both bodies to the canonical address, and the outbox keeps no copy', async () => {
    await using app = await testAuth({ engine })
    await sendEmailMessage(app.auth, message)
    const [mail] = await app.mails('ada@example.com')
    assert.deepEqual(
      [mail?.kind, mail?.subject, mail?.text, mail?.html],
      ['message', 'Hello', message.text, message.html],
    )
  })

  test('sendEmailMessage refuses a bad address, a subject of two lines and a missing body', async () => {
    await using app = await testAuth({ engine })
    for (const part of [{ to: 'not an address' }, { subject: 'Hello\r\nBcc: bo@example.com' }, { extra: 1 }]) {
      await assert.rejects(sendEmailMessage(app.auth, { ...message, ...part }), (error) =>
        isAuthError(error, 'input_invalid'),
      )
    }
    const { html: _, ...bodyless } = message
    await assert.rejects(sendEmailMessage(app.auth, bodyless as EmailMessage), MissingFieldError)
  })

  test('getUserRepository gives the repository in which accounts live', async () => {
    await using app = await testAuth({ engine })
    const users = getUserRepository(app.auth)
    const { id } = await users.create({ email: 'ada@example.com', password })
    assert.equal((await users.getByEmail('ada@example.com'))?.id, id)
    assert.equal(getUserRepository(app.auth), users)
  })
})
