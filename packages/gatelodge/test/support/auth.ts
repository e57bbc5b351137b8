import assert from 'node:assert/strict'
import type { MailboxEntry } from '../../src/domain/mailbox.ts'
import { type Auth, type AuthOptions, createAuth } from '../../src/library/auth.ts'
import { engineOf } from '../../src/library/engine.ts'
import type { Engine } from './app.ts'
import { type LogLine, recordingLog, type TestClock, testClock, testSecret } from './deps.ts'
import { directUrlOf, freshPostgresDatabase, patientUrl } from './postgres.ts'

export const password = 'quiet harbour 52'
let people = 0

/** The library over a fresh database, with a cheap hash and a test clock. No job runs by itself. */
export interface TestAuth extends AsyncDisposable {
  readonly auth: Auth
  readonly clock: TestClock
  readonly logged: readonly LogLine[]
  /** Delivers what is due and returns the emails to an address, oldest first. */
  mails(address: string): Promise<MailboxEntry[]>
  /** Returns the token in the newest email to an address. */
  mailedToken(address: string): Promise<string>
}

/** Wires the library for a test. */
export async function testAuth({ engine, ...options }: AuthOptions & { readonly engine: Engine }): Promise<TestAuth> {
  const database = engine === 'postgres' ? await freshPostgresDatabase() : undefined
  const direct = database && directUrlOf(database.url)
  const clock = testClock()
  const logged: LogLine[] = []
  const auth = await createAuth({
    secret: testSecret,
    log: recordingLog(logged),
    clock,
    startJobs: false,
    printMails: false,
    ...options,
    settings: {
      database: database ? patientUrl(database.url) : 'sqlite::memory:',
      ...(direct !== undefined && { databaseDirect: direct }),
      passwordHash: cheapHash,
      ...options.settings,
    },
  })
  const { composition, deps } = engineOf(auth)

  async function mails(address: string): Promise<MailboxEntry[]> {
    await composition.deliverMail()
    const entries = (deps.mailbox?.entries() ?? []).filter(({ to }) => to === address)
    return entries.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  }

  return {
    auth,
    clock,
    logged,
    mails,
    async mailedToken(address) {
      const link = /https?:\/\/\S+token=\S+/.exec((await mails(address)).at(-1)?.text ?? '')?.[0] ?? ''
      return new URL(link).searchParams.get('token') ?? ''
    },
    async [Symbol.asyncDispose]() {
      await auth.close()
      await database?.release()
    },
  }
}

/** Signs up a user in a mode that needs no link, and returns the user with a token. */
export async function signUp({ auth }: TestAuth) {
  people += 1
  const [username, email] = [`ada${people}`, `ada${people}@example.com`]
  const result = await auth.api.registerUser({ email, password, username, fullname: 'Ada Lovelace' })
  assert.equal(result.status, 'signed_in')
  return { token: result.accessToken, id: result.user.id, username, email }
}

const cheapHash = 'm=7168,t=5,p=1'
