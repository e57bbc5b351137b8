import { join } from 'node:path'
import { createClient } from '../packages/gatelodge/src/admin/service-clients/manage-clients.ts'
import { compose } from '../packages/gatelodge/src/compose.ts'
import { type Config, readConfig } from '../packages/gatelodge/src/config.ts'
import { passwordProof } from '../packages/gatelodge/src/domain/factors/password.ts'
import { hashKey } from '../packages/gatelodge/src/domain/passwords/hash-key.ts'
import { insertRefreshToken } from '../packages/gatelodge/src/domain/refresh-tokens.ts'
import { insertSession } from '../packages/gatelodge/src/domain/sessions.ts'
import { createUser } from '../packages/gatelodge/src/domain/users.ts'
import { systemActor } from '../packages/gatelodge/src/kernel/actor.ts'
import type { SessionId, UserId } from '../packages/gatelodge/src/kernel/ids.ts'
import { transact, type Work } from '../packages/gatelodge/src/store/unit-of-work.ts'

/** A database with signed-in users. */
export interface Seed {
  /** The settings with which the server serves this database. */
  readonly env: Readonly<Record<string, string>>
  readonly database: string
  readonly password: string
  readonly people: readonly Person[]
  /** Refresh tokens that were never used, of sessions of the people. */
  readonly refreshTokens: readonly string[]
  /** An access token of one more session. */
  readonly accessToken: string
  /** The HTTP Basic credentials of a service client. */
  readonly client: string
}

interface Person {
  readonly email: string
  /** The value of the session cookie. */
  readonly cookie: string
}

/** Refreshes of one round, as many for each of 32 connections: a token is good for one. */
export const refreshesInRound = 62 * 32
/** Three rounds, the one that warms up, and the one token that shows that answers are right. */
const refreshTokensNeeded = 4 * refreshesInRound + 1
const password = 'quiet harbour 52'

/**
 * Creates a database, in an empty folder or at `url`, with `count` accounts, each with a cookie session. All have the same password hash, of the default cost.
 */
export async function seed(folder: string, count: number, url?: string): Promise<Seed> {
  const database = join(folder, 'gatelodge.db')
  const env = {
    GATELODGE_DATABASE: url ?? `sqlite:${database}`,
    GATELODGE_DATA_DIR: folder,
    GATELODGE_SECRET: 'a secret of the bench, known to everybody',
    GATELODGE_PUBLIC_URL: 'http://localhost:3000',
    GATELODGE_RATE_LIMITS: 'off',
    GATELODGE_LOG_LEVEL: 'error',
    GATELODGE_ACCESS_TOKEN_TTL: '1d', // with the default, a token could expire before the bench ends
  }
  const { config } = readConfig({ env, flags: {}, readFile: refuseFile })
  const log = { debug() {}, info() {}, warn() {}, error: console.error }
  const composition = await compose({ config, secret: env.GATELODGE_SECRET, log })
  const { deps } = composition
  try {
    const passwordHash = await deps.hasher.hash(password, hashKey(systemActor('command', 'bench')))
    const { people, refreshTokens, holder } = await transact(deps, systemActor('command', 'bench'), (work) =>
      insertPeople(work, config, count, passwordHash),
    )
    const accessToken = await deps.accessTokens.sign({ ...holder, roles: [] })
    const { client, secret } = await createClient(deps, systemActor('command', 'bench'), { name: 'bench', scopes: [] })
    const basic = `Basic ${Buffer.from(`${client.id}:${secret}`).toString('base64')}`
    return { env, database, password, people, refreshTokens, accessToken: accessToken.text, client: basic }
  } finally {
    await composition.close()
  }
}

async function insertPeople(work: Work, config: Config, count: number, passwordHash: string) {
  const people: Person[] = []
  const refreshTokens: string[] = []
  for (let index = 1; index < count; index += 1) {
    const email = `person${index}@example.com`
    const id = await insertPerson(work, email, passwordHash)
    const { token } = await insertSession(work, config, id, passwordProof, { kind: 'cookie', remember: true })
    people.push({ email, cookie: token.text })
    if (refreshTokens.length < refreshTokensNeeded) refreshTokens.push(await insertRefresher(work, config, id))
  }

  const userId = await insertPerson(work, 'bearer@example.com', passwordHash)
  const { row } = await insertSession(work, config, userId, passwordProof, { kind: 'token', remember: true })
  const holder: { userId: UserId; sessionId: SessionId } = { userId, sessionId: row.id }
  return { people, refreshTokens, holder }
}

async function insertRefresher(work: Work, config: Config, userId: UserId): Promise<string> {
  const { row } = await insertSession(work, config, userId, passwordProof, { kind: 'token', remember: true })
  return insertRefreshToken(work, row.id)
}

async function insertPerson(work: Work, email: string, passwordHash: string): Promise<UserId> {
  const user = await createUser(work, {
    email,
    emailVerifiedAt: work.now,
    username: null,
    firstName: 'Ada',
    lastName: 'Lovelace',
    passwordHash,
    by: 'library',
  })
  if (!user) throw new Error(`${email} is taken`)
  return user.id
}

function refuseFile(path: string): never {
  throw new Error(`no setting of the bench names a file, but ${path} was asked for`)
}
