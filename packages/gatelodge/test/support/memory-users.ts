import { randomUUID, scryptSync } from 'node:crypto'
import { normaliseEmail, parseEmail } from '../../src/domain/identifiers/email.ts'
import { normaliseUsername, parseUsername } from '../../src/domain/identifiers/username.ts'
import { AuthError, invalidField, UserAlreadyExistsError, UserNotFound } from '../../src/kernel/errors.ts'
import type { NewRepositoryUser, RepositoryUser, UserRepository } from '../../src/library/user-repository.ts'
import type { RepositoryUnderTest } from '../../src/library/user-repository-contract.ts'

/** A host program's in-memory repository, with methods for tests that its interface lacks. */
export interface MemoryUsers extends RepositoryUnderTest {
  /** Changes an account without Gatelodge's knowledge. */
  change(id: string, part: Partial<Omit<RepositoryUser, 'id'>>): void
  remove(id: string): void
}

/** Creates an empty in-memory repository of a host program. */
export function memoryUsers(): MemoryUsers {
  const accounts = new Map<string, RepositoryUser>()
  const hashes = new Map<string, string>()
  const hash = (id: string, password: string) => scryptSync(password, id, 32, { N: 16 }).toString('hex')
  const find = (is: (user: RepositoryUser) => boolean) => [...accounts.values()].find(is) ?? null

  function change(id: string, part: Partial<Omit<RepositoryUser, 'id'>>): void {
    const known = accounts.get(id)
    if (known) accounts.set(id, { ...known, ...part })
  }

  async function create(user: NewRepositoryUser): Promise<RepositoryUser> {
    const email = parseEmail('email', user.email)
    const username = user.username === undefined ? null : parseUsername('username', user.username)
    if (user.password.length < 8) throw invalidField('password', 'too_short', 'Use at least 8 characters')
    if (find((known) => known.email === email)) throw new UserAlreadyExistsError()
    if (username !== null && find((known) => known.username === username)) throw new AuthError('username_taken')

    const { firstName = '', lastName = '' } = user
    const made = { id: randomUUID(), email, emailVerified: false, username, firstName, lastName, isActive: true }
    accounts.set(made.id, made)
    hashes.set(made.id, hash(made.id, user.password))
    return made
  }

  const users: UserRepository = {
    create,
    getById: async (id) => accounts.get(id) ?? null,
    getByEmail: async (email) => find((user) => user.email === normaliseEmail(email)),
    getByUsername: async (name) => find((user) => user.username !== null && user.username === normaliseUsername(name)),
    getActiveUsers: async (skip = 0, limit = 100) =>
      [...accounts.values()].filter(({ isActive }) => isActive).slice(skip, skip + limit),
    async updatePassword(id, password) {
      if (!accounts.has(id)) throw new UserNotFound()
      hashes.set(id, hash(id, password))
    },
    async authenticateUser(identifier, password) {
      const byName = identifier.includes('@') ? users.getByEmail(identifier) : users.getByUsername(identifier)
      const user = await byName
      return user?.isActive && hashes.get(user.id) === hash(user.id, password) ? user : null
    },
  }
  return {
    users,
    change,
    deactivate: async (id) => change(id, { isActive: false }),
    remove: (id) => void accounts.delete(id),
  }
}
