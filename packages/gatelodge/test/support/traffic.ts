import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { cleanUp } from '../../src/jobs/clean-up.ts'
import { storeLastSeen } from '../../src/jobs/last-seen.ts'
import { day } from '../../src/kernel/clock.ts'
import type { Ask, TestApp, Told } from './app.ts'

/** Days that devices and failures in a row are remembered: before them, tables fill. */
export const longestMemory = 90

interface Member {
  email: string
  password: string
  agent: string
  cookie: string
  refresh: string
  access: string
}

export interface TrafficOptions {
  readonly days: number
  /** Something happens and clean-up runs every so many days. */
  readonly every: number
  /** How many have an account at a time. Two stay for ever; of the others the oldest goes when a new one comes. */
  readonly members: number
}

/** How many rows each table had after each clean-up, and on SQLite how many pages the file. */
export interface Sizes {
  readonly every: number
  readonly of: Readonly<Record<string, readonly number[]>>
}

/**
 * Days of everything that people do, over HTTP, with clean-up in between: sign-ups confirmed and abandoned, sign-ins from known and new devices, failures,
 * refreshes, resets, changes of address, sign-outs, deletions. The same at each run.
 */
export async function simulate(app: TestApp, options: TrafficOptions): Promise<Sizes> {
  const sizes: Record<string, number[]> = {}
  const members: Member[] = []
  const draw = drawer()
  const tables = (await app.deps.store.migrationDb.introspection.getTables()).map(({ name }) => name)
  for (let today = 0; today < options.days; today += options.every) {
    await whatPeopleDo(app, members, draw, options.members)
    app.clock.advance(options.every * day)
    await storeLastSeen(app.deps)
    await cleanUp(app.deps)
    for (const [name, size] of Object.entries(await sizesOf(app, tables))) {
      sizes[name] ??= []
      sizes[name].push(size)
    }
  }
  return { every: options.every, of: sizes }
}

/** Fails for each table, and the file, that was larger in the last days than in those after the day `from`. */
export function assertPlateau(sizes: Sizes, from: number): void {
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

/** A small generator of numbers (Park and Miller), so that a failure comes again. */
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

async function whatPeopleDo(app: TestApp, members: Member[], draw: Draw, most: number): Promise<void> {
  members.push(await join(app, draw))
  await app.post('/signup', { email: `${draw.name()}@lost.example`, password, username: draw.name() }, draw.from())
  const [leaving] = members.length > most ? members.splice(2, 1) : []
  if (leaving) await leave(app, leaving, draw)

  // The first one only comes and goes, from ever new devices; what the second one does ends sessions.
  const [calm, busy = calm] = members as [Member, Member?]
  const anybody = members[draw.number(members.length)] as Member
  for (const member of members) await comeBack(app, member, draw)
  await signIn(app, { ...calm, agent: draw.name() }, draw)
  for (const email of [anybody.email, `${draw.name()}@nobody.example`]) {
    await app.post('/signin', { email, password: 'wrong harbour' }, draw.from())
  }
  await app.post('/forgot-password', { email: `${draw.name()}@nobody.example` }, draw.from())
  await app.post('/forgot-password', { email: anybody.email }, draw.from())
  await resetPassword(app, busy, draw)
  await changeEmail(app, busy, draw)
  await app.mails('')
}

const password = 'quiet harbour 52'

async function join(app: TestApp, draw: Draw): Promise<Member> {
  const email = `${draw.name()}@example.com`
  ok(await app.post('/signup', { email, password, username: draw.name() }, draw.from()))
  const { token } = await app.lastMail(email)
  ok(await app.post('/verify-email', { token, password }, draw.from()))
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

/** Sessions end by their ages and by what others do here: then somebody signs in again. */
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
  if (mail === undefined || mail.id === before || mail.kind !== 'password_reset') return // the budget of mails is used up

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

function ok(told: Told): Told {
  assert.ok(told.status < 300, told.text)
  return told
}

async function sizesOf(app: TestApp, tables: readonly string[]): Promise<Record<string, number>> {
  const { store } = app.deps
  const sizes: Record<string, number> = {}
  for (const table of tables) {
    const { rows } = await sql<{ n: number }>`select count(*) as n from ${sql.table(table)}`.execute(store.migrationDb)
    sizes[table] = Number(rows[0]?.n)
  }
  if (store.engine === 'sqlite') {
    const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(store.migrationDb)
    sizes['pages of the file'] = Number(rows[0]?.page_count)
  }
  return sizes
}
