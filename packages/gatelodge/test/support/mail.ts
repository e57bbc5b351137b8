import type { TestContext } from 'node:test'
import type { MailKind, MailRequests } from '../../src/domain/outbox.ts'
import { requestMail } from '../../src/domain/outbox.ts'
import { createUser, type NewUser } from '../../src/domain/users.ts'
import { createMailDelivery, type MailDelivery } from '../../src/jobs/deliver-mail.ts'
import { type MailTransport, smtpTransport } from '../../src/jobs/transports.ts'
import { systemActor } from '../../src/kernel/actor.ts'
import type { Language } from '../../src/kernel/languages.ts'
import type { MailRow, UserRow } from '../../src/store/schema.ts'
import { transact } from '../../src/store/unit-of-work.ts'
import { type TestDeps, type TestDepsOptions, testDeps } from './deps.ts'
import { type SmtpOptions, type SmtpTestServer, smtpServer } from './smtp.ts'

const actor = systemActor('command', 'test')

/** A migrated database, a mail server and the job that connects them. */
export interface MailTest extends TestDeps {
  readonly server: SmtpTestServer
  readonly delivery: MailDelivery
  readonly transport: MailTransport
  /** Requests an email on behalf of a user who reads `language`. */
  request<Kind extends MailKind>(kind: Kind, request: MailRequests[Kind], language?: Language): Promise<void>
  addUser(user?: Partial<NewUser>, changes?: Partial<UserRow>): Promise<UserRow>
  /** Returns every row of the outbox, oldest first. */
  rows(): Promise<MailRow[]>
}

/** Sets up what a test of emails needs. Everything closes when the test ends. */
export async function mailTest(t: TestContext, options: SmtpOptions & TestDepsOptions): Promise<MailTest> {
  const made = await testDeps(options)
  const server = await smtpServer(options)
  const transport = smtpTransport(server.smtp, 'id.example.org')
  const delivery = createMailDelivery({ deps: made.deps, transport })
  t.after(async () => {
    await delivery.stop()
    await server.close()
    await made.close()
  })

  return {
    ...made,
    server,
    transport,
    delivery,
    request: (kind, request, language) =>
      transact(made.deps, { ...actor, language: language ?? null }, (work) => requestMail(work, kind, request)),
    addUser: (user = {}, changes = {}) => addUser(made, user, changes),
    rows: () => made.store.db.selectFrom('mails').selectAll().orderBy('id').execute(),
  }
}

async function addUser({ deps }: TestDeps, user: Partial<NewUser>, changes: Partial<UserRow>): Promise<UserRow> {
  return transact(deps, actor, async (work) => {
    const made = await createUser(work, {
      email: 'ada@example.org',
      emailVerifiedAt: work.now,
      username: null,
      firstName: 'Ada',
      lastName: 'Lovelace',
      passwordHash: null,
      by: 'administrator',
      ...user,
    })
    work.changed([])
    work.allowRemoval()
    return work.db
      .updateTable('users')
      .set({ email: made.email, ...changes })
      .where('id', '=', made.id)
      .returningAll()
      .executeTakeFirstOrThrow()
  })
}
