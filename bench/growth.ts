import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  type Bench,
  type Case,
  type CheckFigures,
  introspectionOf,
  measureCases,
  requestsOf,
  startGatelodge,
} from './measure.ts'
import { type Server, stop } from './processes.ts'
import { progress } from './progress.ts'
import { refreshesInRound, type Seed } from './seed.ts'

/** The same requests to the server of the bench and to one whose database has many more accounts. */
export interface GrowthFigures {
  readonly accounts: number
  readonly checks: readonly CheckFigures[]
}

/** What is measured on both. */
export const grown = ['session by cookie, 20,000 sessions', 'introspection', 'sign-in', 'refresh'] as const

/** The name of a case on the server with many accounts. */
export function withMany(name: string): string {
  return `... ${name}, many accounts`
}

/** Both servers in turns with hello. */
export async function measureGrowth(bench: Bench, folder: string, accounts: number): Promise<GrowthFigures> {
  const { env } = growDatabase(bench.seeded, folder, accounts)
  const large = await startGatelodge({ ...bench.seeded, env })
  try {
    const few = casesOf(bench, bench.gatelodge)
    const many = casesOf(bench, large)
    const pairs = few.flatMap((one, index) => {
      const other = many[index]
      return other ? [one, { ...other, name: withMany(one.name) }] : []
    })
    const hello: Case = {
      name: 'raw hello',
      server: bench.hello,
      requests: [{ path: '/' }],
      expected: '{"hello":"world"}',
    }
    return { accounts, checks: await measureCases(bench, [hello, ...pairs]) }
  } finally {
    await stop(large.child)
  }
}

function casesOf({ seeded }: Bench, server: Server): (Case & { readonly name: (typeof grown)[number] })[] {
  const { cookieChecks, signIns, refreshes } = requestsOf(seeded)
  const introspection = introspectionOf(seeded.client, seeded.accessToken)
  const person = '"email":"person1@example.com"'
  return [
    { name: 'session by cookie, 20,000 sessions', server, requests: cookieChecks, expected: person },
    { name: 'introspection', server, requests: [introspection], expected: '"active":true' },
    { name: 'sign-in', server, requests: signIns, expected: person },
    // Each token is good for one round: a spent one is another way through the program.
    {
      name: 'refresh',
      server,
      requests: refreshes,
      perRound: refreshesInRound,
      expected: '"refresh_token"',
    },
  ]
}

/** What grows with the accounts, each with a session and two events. */
const filled = ['users', 'profiles', 'sessions', 'events', 'events'] as const

/** Fills a copy of the bench's database up to so many accounts. */
function growDatabase(seeded: Seed, folder: string, accounts: number): Pick<Seed, 'env'> {
  progress.say(`making a database of ${accounts.toLocaleString('en')} accounts`)
  const own = join(folder, 'large')
  const database = join(own, 'gatelodge.db')
  mkdirSync(own)
  const source = new DatabaseSync(seeded.database, { readOnly: true })
  source.prepare('vacuum into ?').run(database)
  source.close()

  const db = new DatabaseSync(database)
  const first = seeded.people.length + 2 // behind the people and the one with the token
  const template = db.prepare('select id from users where email = ?').get(seeded.people[0]?.email ?? '')
  db.exec('pragma synchronous = off; begin')
  for (const [part, table] of filled.entries()) {
    const columns = db
      .prepare('select name from pragma_table_info(?)')
      .all(table)
      .map(({ name }) => String(name))
    const values = columns.map((column) => made(table, part)[column] ?? `t.${column}`)
    db.prepare(`
      insert into ${table} (${columns.join()})
      with recursive n(i) as (select ${first} union all select i + 1 from n where i < ${accounts})
      select ${values.join()} from n, (select * from ${table} where ${table === 'users' ? 'id' : 'user_id'} = ? limit 1) t
    `).run(template?.id ?? null)
  }
  db.exec('commit')
  db.close()
  const env = { ...seeded.env, GATELODGE_DATABASE: `sqlite:${database}`, GATELODGE_DATA_DIR: own }
  return { env }
}

/** What sets the rows of account `i` apart from the template, as SQL. Ids of 2024: what the server adds comes behind them, as in life. */
function made(table: (typeof filled)[number], part: number): Readonly<Record<string, string>> {
  const id = (prefix: string) => `'${prefix}-0000-7000-8000-' || printf('%012x', i)`
  const ofUser = { user_id: id('01900000') }
  return {
    users: { id: id('01900000'), email: `'filler' || i || '@example.com'` },
    profiles: ofUser,
    sessions: { ...ofUser, id: 'hex(randomblob(11))' },
    events: { ...ofUser, id: id(`0190000${part}`) },
  }[table]
}
