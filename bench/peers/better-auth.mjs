import { createServer } from 'node:http'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'
import pg from 'pg'

// better-auth as its documentation sets it up, on an empty PostgreSQL database, without rate limits; reports the cookie of one session.
const [, , port, connectionString] = process.argv
const auth = betterAuth({
  baseURL: `http://127.0.0.1:${port}`,
  secret: 'a secret of the bench, known to everybody',
  database: new pg.Pool({ connectionString, max: 10 }),
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
})
const { runMigrations } = await getMigrations(auth.options)
await runMigrations()

const { headers } = await auth.api.signUpEmail({
  body: { email: 'person1@example.com', password: 'quiet harbour 52', name: 'Ada Lovelace' },
  returnHeaders: true,
})
const cookie = headers
  .getSetCookie()
  .map((text) => text.split(';', 1)[0])
  .join('; ')

createServer(toNodeHandler(auth)).listen(Number(port), '127.0.0.1', () => process.send?.({ cookie }))
