import type { UserRepository } from '../../src/library/user-repository.ts'
import type { Engine } from './app.ts'
import { password, type TestAuth, testAuth } from './auth.ts'
import { type MemoryUsers, memoryUsers } from './memory-users.ts'

/** A user of the host program. */
export const ada = { email: 'ada@example.com', password, username: 'ada', firstName: 'Ada', lastName: 'Lovelace' }

/** A library over an in-memory repository of the host program. */
export interface ForeignApp extends TestAuth {
  readonly host: MemoryUsers
  post(path: string, body: unknown, bearer?: string): Promise<{ status: number; json: Record<string, unknown> }>
}

/** Creates a library over an in-memory repository, of which `users` replaces functions. */
export async function foreignApp(options: {
  engine: Engine
  registration?: string
  users?: Partial<UserRepository>
}): Promise<ForeignApp> {
  const host = memoryUsers()
  const users = { ...host.users, ...options.users }
  const settings = { registration: options.registration ?? 'instant' }
  const app = await testAuth({ engine: options.engine, users, settings })
  return {
    ...app,
    host,
    async post(path, body, bearer) {
      const response = await app.auth.fetch(
        new Request(`http://localhost:3000/api/v1/auth${path}`, {
          method: path === '/me' ? 'PATCH' : 'POST',
          headers: { 'content-type': 'application/json', ...(bearer && { authorization: `Bearer ${bearer}` }) },
          body: JSON.stringify(body),
        }),
        { peer: '192.0.2.1' },
      )
      const text = await response.text()
      return { status: response.status, json: text === '' ? {} : JSON.parse(text) }
    },
  }
}
