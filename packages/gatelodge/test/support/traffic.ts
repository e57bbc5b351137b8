import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join as joinPath } from 'node:path'
import { sql } from 'kysely'
import { revokeClient } from '../../src/admin/service-clients/manage-clients.ts'
import { createAccount, createAdministrator } from '../../src/admin/users/create-user.ts'
import { removeDueAvatars, storeAvatar } from '../../src/domain/avatars/files.ts'
import { rotateSigningKeyByAge } from '../../src/domain/signing-keys.ts'
import { cleanUp } from '../../src/jobs/clean-up.ts'
import { storeLastSeen } from '../../src/jobs/last-seen.ts'
import { claimRun } from '../../src/jobs/once.ts'
import { systemActor } from '../../src/kernel/actor.ts'
import { day, hour, second } from '../../src/kernel/clock.ts'
import { type Ask, type Engine, type TestApp, type Told, testApp } from './app.ts'
import { blackRows, dataFolder, png, upload } from './images.ts'

/** How many days devices and consecutive failures are remembered. Until then, tables grow. */
export const longestMemory = 90

interface Member {
  email: string
  password: string
  agent: string
  cookie: string
  refresh: string
  access: string
}

/** The participants: users, the operator's programs, and the generator that decides what they do. */
interface Town {
  readonly members: Member[]
  readonly clients: Awaited<ReturnType<TestApp['client']>>[]
  readonly draw: Draw
}

export interface TrafficOptions {
  readonly days: number
  /** The number of days between two rounds of activity and clean-up. */
  readonly every: number
  /** How many accounts exist at a time. Two stay forever; of the others the oldest is deleted when a new one is created. */
  readonly members: number
}

/** The number of rows of each table after each clean-up, the number of stored pictures, and on SQLite the number of pages of the file. */
export interface Sizes {
  readonly every: number
  readonly of: Readonly<Record<string, readonly number[]>>
  /** Tables that had the same size at all times, before and after clean-ups. */
  readonly unchanged: readonly string[]
}

/** Short retention, so that data that expires does so within the simulated days. */
const memories = { GATELODGE_EVENT_RETENTION: '30d', GATELODGE_KEY_ROTATION: '2d' }

/**
 * Simulates days of everything that users do, over HTTP, with clean-up in between: sign-ups confirmed and abandoned, sign-ins from known and new devices,
 * failures, refreshes, resets, changes of address, pictures, API tokens, sign-outs, deletions; also what services and operators do. Every run is the same.
 */
export async function simulate(engine: Engine, options: TrafficOptions): Promise<Sizes> {
  using data = dataFolder()
  await using app = await testApp({ engine, env: { ...memories, ...data.env } })
  const sizes: Record<string, number[]> = {}
  const before: Record<string, number[]> = {}
  const town: Town = { members: [], clients: [], draw: drawer() }
  const tables = (await app.deps.store.migrationDb.introspection.getTables())
    .map(({ name }) => name)
    .filter((name) => name !== 'schema_migrations')
  await createAccount(app.deps, operator, { email: newcomer, password, mustChangePassword: true })
  for (let today = 0; today < options.days; today += options.every) {
    ok(await app.post('/signin', { email: newcomer, password }, town.draw.from()))
    await whatPeopleDo(app, town, options.members)
    await whatServicesDo(app, town)
    await note(app, tables, before)
    app.clock.advance(options.every * day)
    await whatJobsDo(app)
    await note(app, tables, sizes)
  }
  const unchanged = Object.entries(sizes).filter(
    ([name, after]) => new Set([...after, ...(before[name] ?? [])]).size === 1,
  )
  return { every: options.every, of: sizes, unchanged: unchanged.map(([name]) => name) }
}

/** Fails for each table, and the files, if larger in the last days than in those after the day `from`, and for tables that never changed. */
export function assertPlateau(sizes: Sizes, from: number): void {
  assert.deepEqual(sizes.unchanged, [], 'the sizes of unused tables prove nothing')
  const start = Math.ceil(from / sizes.every)
  const window = Math.ceil(20 / sizes.every)
  const grown = Object.entries(sizes.of).flatMap(([name, after]) => {
    const first = Math.max(...after.slice(start, start + window))
    const last = Math.max(...after.slice(-window))
    return last > first * 1.1 + 5 ? [`${name}: ${first}, then ${last}`] : []
  })
  assert.deepEqual(grown, [])
}

type Draw = ReturnType<typeof drawer>

/** Creates a small generator of numbers (Park and Miller), so that a failure can be reproduced. */
function drawer() {
  let state = 20_261_120
  const next = () => {
    state = (state * 48_271) % 2_147_483_647
    return state
  }
  return {
    number: (below: number) => next() % below,
    name: () => `p${next()}`,
    from: (): Ask => ({ ip: `10.${next() % 200}.${next() % 250}.${next() % 250}` }),
  }
}

async function whatPeopleDo(app: TestApp, { members, draw }: Town, most: number): Promise<void> {
  members.push(await join(app, draw))
  await app.post('/signup', { email: `${draw.name()}@lost.example`, password, username: draw.name() }, draw.from())
  const [leaving] = members.length > most ? members.splice(2, 1) : []
  if (leaving) await leave(app, leaving, draw)

  // The first one only signs in and out, always from new devices; what the second one does ends sessions.
  const [calm, busy = calm] = members as [Member, Member?]
  const anybody = members[draw.number(members.length)] as Member
  for (const member of members) await comeBack(app, member, draw)
  const visit = { ...calm, agent: draw.name() }
  await signIn(app, visit, draw)
  await makeApiTokens(app, visit, draw)
  await changePicture(app, visit, draw)
  for (const email of [anybody.email, `${draw.name()}@unknown.example`]) {
    await app.post('/signin', { email, password: 'wrong harbour' }, draw.from())
  }
  await app.post('/forgot-password', { email: `${draw.name()}@unknown.example` }, draw.from())
  await app.post('/forgot-password', { email: anybody.email }, draw.from())
  await resetPassword(app, busy, draw)
  await changeEmail(app, busy, draw)
  await app.mails('')
}

/** Creates and removes clients as operators do. A new client gets a token and revokes it. */
async function whatServicesDo(app: TestApp, { clients, draw }: Town): Promise<void> {
  const client = await app.client(draw.name())
  const [leaving] = clients.push(client) > 2 ? clients.splice(0, 1) : []
  if (leaving) await revokeClient(app.deps, operator, { who: leaving.id })

  const ask = { headers: client.headers, ...draw.from() }
  const { json } = ok(await app.form('/oauth2/token', { grant_type: 'client_credentials' }, ask))
  ok(await app.form('/oauth2/revoke', { token: json.access_token }, ask))
}

async function whatJobsDo(app: TestApp): Promise<void> {
  await storeLastSeen(app.deps)
  await rotateSigningKeyByAge(app.deps, systemActor('job', 'signing-keys'), app.deps.config)
  if (await claimRun(app.deps, 'clean-up', hour)) await cleanUp(app.deps)
  assert.equal(await removeDueAvatars(app.deps), 0, 'clean-up left pictures for the next upload to remove')
}

const operator = systemActor('command', 'traffic')
const picture = png(2, 2, [blackRows(2, 2)])
const stored = { 96: new Uint8Array(1), 320: new Uint8Array(1) }

const password = 'quiet harbour 52'
/** A user who never replaces the initial password. */
const newcomer = 'newcomer@example.com'

async function join(app: TestApp, draw: Draw): Promise<Member> {
  const email = `${draw.name()}@example.com`
  ok(await app.post('/signup', { email, password, username: draw.name() }, draw.from()))
  const { token } = await app.lastMail(email)
  ok(await app.post('/verify-email', { token, password }, draw.from()))
  await createAdministrator(app.deps, operator, { email })
  const member = { email, password, agent: draw.name(), cookie: '', refresh: '', access: '' }
  await signIn(app, member, draw)
  return member
}

async function signIn(app: TestApp, member: Member, draw: Draw): Promise<void> {
  const ask = { ...draw.from(), headers: { 'user-agent': member.agent } }
  const { email } = member
  const byToken = ok(await app.post('/signin', { email, password: member.password }, ask))
  const byCookie = ok(await app.post('/signin', { email, password: member.password, session: 'cookie' }, ask))
  member.access = byToken.json.access_token
  member.refresh = byToken.json.refresh_token
  member.cookie = byCookie.cookie('gatelodge') ?? ''
}

/** Signs in again a user whose session has ended, by age or through other actions here. */
async function comeBack(app: TestApp, member: Member, draw: Draw): Promise<void> {
  await app.get('/session', { cookie: member.cookie })
  const told = await app.post('/refresh', { refresh_token: member.refresh }, draw.from())
  if (told.status !== 200) return signIn(app, member, draw)
  member.refresh = told.json.refresh_token
  member.access = told.json.access_token
  if (draw.number(10) === 0) await app.post('/signout', {}, { cookie: member.cookie })
}

async function leave(app: TestApp, member: Member, draw: Draw): Promise<void> {
  await signIn(app, member, draw)
  ok(await app.delete('/me', { bearer: member.access, ...draw.from() }, { password: member.password }))
}

async function resetPassword(app: TestApp, member: Member, draw: Draw): Promise<void> {
  const before = (await app.mails(member.email)).at(-1)?.id
  await app.post('/forgot-password', { email: member.email }, draw.from())
  const mail = (await app.mails(member.email)).at(-1)
  if (mail === undefined || mail.id === before || mail.kind !== 'password_reset') return // the budget of emails is used up

  const { token } = await app.lastMail(member.email)
  const new_password = `harbour ${draw.name()} quiet`
  ok(await app.post('/reset-password', { token, new_password }, draw.from()))
  member.password = new_password
}

async function changeEmail(app: TestApp, member: Member, draw: Draw): Promise<void> {
  await signIn(app, member, draw)
  const new_email = `${draw.name()}@example.com`
  const ask = { bearer: member.access, ...draw.from() }
  ok(await app.post('/change-email', { new_email, password: member.password }, ask))
  const { token } = await app.lastMail(new_email)
  if (draw.number(3) === 0) return // not confirmed

  ok(await app.post('/change-email/confirm', { token }, draw.from()))
  member.email = new_email
}

/** Creates two tokens, one that its owner revokes and one that is left to expire. */
async function makeApiTokens(app: TestApp, member: Member, draw: Draw): Promise<void> {
  const ask = { bearer: member.access, ...draw.from() }
  const life = { expires_in: (6 * day) / second }
  const { json } = ok(await app.post('/me/tokens', { name: draw.name(), ...life }, ask))
  ok(await app.delete(`/me/tokens/${json.id}`, ask))
  ok(await app.post('/me/tokens', { name: draw.name(), ...life }, ask))
}

/** Stores the files of an upload as if the server ended right after. Every other time, also replaces the current picture. */
async function changePicture(app: TestApp, member: Member, draw: Draw): Promise<void> {
  await storeAvatar(app.deps, systemActor('command', 'upload'), stored)
  if (draw.number(2) === 0) ok(await upload(app, { bearer: member.access, ...draw.from() }, picture))
}

function ok(told: Told): Told {
  assert.ok(told.status < 300, told.text)
  return told
}

/** Appends the current size of each table, and of the files. */
async function note(app: TestApp, tables: readonly string[], sizes: Record<string, number[]>): Promise<void> {
  for (const [name, size] of Object.entries(await sizesOf(app, tables))) {
    sizes[name] ??= []
    sizes[name].push(size)
  }
}

async function sizesOf(app: TestApp, tables: readonly string[]): Promise<Record<string, number>> {
  const { store, config } = app.deps
  const counts = tables.map((table) => sql`(select count(*) from ${sql.table(table)}) as ${sql.ref(table)}`)
  const { rows } = await sql<Record<string, unknown>>`select ${sql.join(counts)}`.execute(store.migrationDb)
  const sizes = Object.fromEntries(Object.entries(rows[0] ?? {}).map(([table, count]) => [table, Number(count)]))
  sizes['files of pictures'] = readdirSync(joinPath(config.dataDir, 'avatars')).length
  if (store.engine === 'sqlite') {
    const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(store.migrationDb)
    sizes['pages of the file'] = Number(rows[0]?.page_count)
  }
  return sizes
}
