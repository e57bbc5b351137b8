import assert from 'node:assert/strict'
import { isAuthError } from '../kernel/errors.ts'
import type { NewRepositoryUser, RepositoryUser, UserRepository } from './user-repository.ts'

/** An empty repository for one check, with an operation that its interface lacks. */
export interface RepositoryUnderTest {
  readonly users: UserRepository
  /** Makes an account inactive. */
  deactivate(id: string): Promise<void>
  close?(): Promise<void>
}

/** A check of a repository. `run` rejects if the repository fails it. */
export interface RepositoryCheck {
  readonly name: string
  readonly run: () => Promise<void>
}

/**
 * Returns what every UserRepository must satisfy, as checks for any test runner: `for (const { name, run } of userRepositoryContract(make)) test(name, run)`.
 * Each check calls `makeRepository` for a new, empty repository.
 */
export function userRepositoryContract(makeRepository: () => Promise<RepositoryUnderTest>): RepositoryCheck[] {
  return Object.entries(claims).map(([name, claim]) => ({
    name,
    async run() {
      const repository = await makeRepository()
      try {
        await claim(repository)
      } finally {
        await repository.close?.()
      }
    },
  }))
}

const password = 'quiet harbour 52'
const ada: NewRepositoryUser = {
  email: 'ada@example.com',
  password,
  username: 'ada',
  firstName: 'Ada',
  lastName: 'Lovelace',
}
const fields = ['email', 'emailVerified', 'firstName', 'id', 'isActive', 'lastName', 'username']

const claims: Readonly<Record<string, (repository: RepositoryUnderTest) => Promise<void>>> = {
  async 'a created account is active and has what it was made with, under a UUID'({ users }) {
    const { id, emailVerified: _, ...rest } = await users.create(ada)
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/)
    const { password: _password, ...given } = ada
    assert.deepEqual(rest, { ...given, isActive: true })
  },

  async 'an account needs neither username nor names'({ users }) {
    const { username, firstName, lastName } = await users.create({ email: 'bo@example.com', password })
    assert.deepEqual({ username, firstName, lastName }, { username: null, firstName: '', lastName: '' })
  },

  async 'address and username are kept in canonical form and found however they are written'({ users }) {
    const made = await users.create({ ...ada, email: ' Ada@EXAMPLE.com ', username: 'ADA' })
    assert.equal(made.email, 'ada@example.com')
    assert.equal(made.username, 'ada')
    for (const found of [
      await users.getById(made.id),
      await users.getByEmail('aDa@Example.COM'),
      await users.getByUsername('Ada'),
    ]) {
      assert.deepEqual(found, made)
    }
  },

  async 'an unknown id, address or username finds no account'({ users }) {
    await users.create(ada)
    assert.equal(await users.getById('00000000-0000-7000-8000-000000000000'), null)
    assert.equal(await users.getById('no id'), null)
    assert.equal(await users.getByEmail('bo@example.com'), null)
    assert.equal(await users.getByEmail('no address'), null)
    assert.equal(await users.getByUsername('bo.b'), null)
    assert.equal(await users.getByUsername('%'), null)
  },

  async 'an address has one account, however it is written'({ users }) {
    await users.create(ada)
    const again = { ...ada, email: 'ADA@example.com', username: 'other' }
    await assert.rejects(users.create(again), (error) => isAuthError(error, 'email_taken'))
  },

  async 'a username has one account, however it is written, and a refused account leaves nothing'({ users }) {
    await users.create(ada)
    const again = { ...ada, email: 'bo@example.com', username: 'Ada' }
    await assert.rejects(users.create(again), (error) => isAuthError(error, 'username_taken'))
    assert.equal(await users.getByEmail('bo@example.com'), null)
  },

  async 'input that no account can have is refused'({ users }) {
    const bad: Partial<NewRepositoryUser>[] = [{ email: 'no address' }, { username: 'a@b' }, { password: 'short' }]
    for (const part of bad) {
      await assert.rejects(users.create({ ...ada, ...part }), (error) => isAuthError(error, 'input_invalid'))
    }
    assert.deepEqual(await users.getActiveUsers(), [])
  },

  async 'of fifty parallel creations of one address one succeeds'({ users }) {
    const tries = Array.from({ length: 50 }, (_, index) => users.create({ ...ada, username: `ada.${index}x` }))
    const results = await Promise.allSettled(tries)
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const result of results) {
      if (result.status === 'rejected') assert.ok(isAuthError(result.reason, 'email_taken'), String(result.reason))
    }
    assert.equal((await users.getActiveUsers()).length, 1)
  },

  async 'address or username with the right password authenticate, nothing else does'({ users }) {
    const made = await users.create(ada)
    assert.deepEqual(await users.authenticateUser('Ada@example.com', password), made)
    assert.deepEqual(await users.authenticateUser('ADA', password), made)
    assert.equal(await users.authenticateUser('ada', 'another harbour 52'), null)
    assert.equal(await users.authenticateUser('ada', ''), null)
    assert.equal(await users.authenticateUser('bo@example.com', password), null)
    assert.equal(await users.authenticateUser('', password), null)
  },

  async 'a new password works, and the old one no longer does'({ users }) {
    const made = await users.create(ada)
    await users.updatePassword(made.id, 'second harbour 53')
    assert.equal(await users.authenticateUser('ada', password), null)
    assert.equal((await users.authenticateUser('ada', 'second harbour 53'))?.id, made.id)
  },

  async 'the password of an unknown account cannot be set'({ users }) {
    const unknownId = '00000000-0000-7000-8000-000000000000'
    await assert.rejects(users.updatePassword(unknownId, password), (error) => isAuthError(error, 'user_not_found'))
  },

  async 'an inactive account does not authenticate, is not listed, and can be looked up'({ users, deactivate }) {
    const made = await users.create(ada)
    await deactivate(made.id)
    assert.equal(await users.authenticateUser('ada', password), null)
    assert.deepEqual(await users.getActiveUsers(), [])
    assert.deepEqual(await users.getById(made.id), { ...made, isActive: false })
  },

  async 'active accounts are listed in pages, each once, in an order that stays'({ users }) {
    const made: RepositoryUser[] = []
    for (const name of ['one', 'two', 'three', 'four', 'five']) {
      made.push(await users.create({ email: `${name}@example.com`, password, username: name }))
    }
    const all = await users.getActiveUsers()
    assert.deepEqual(byId(all), byId(made))
    const pages = [await users.getActiveUsers(0, 2), await users.getActiveUsers(2, 2), await users.getActiveUsers(4, 2)]
    assert.deepEqual(
      pages.map(({ length }) => length),
      [2, 2, 1],
    )
    assert.deepEqual(pages.flat(), all)
    assert.deepEqual(await users.getActiveUsers(5, 2), [])
    assert.deepEqual(await users.getActiveUsers(0, 0), [])
  },

  async 'no answer holds a password or its hash'({ users }) {
    const made = await users.create(ada)
    const answers = [
      made,
      await users.getById(made.id),
      await users.getByEmail('ada@example.com'),
      await users.getByUsername('ada'),
      await users.authenticateUser('ada', password),
      ...(await users.getActiveUsers()),
    ]
    for (const answer of answers) assert.deepEqual(Object.keys(answer ?? {}).toSorted(), fields)
  },
}

function byId(users: readonly RepositoryUser[]): RepositoryUser[] {
  return users.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}
