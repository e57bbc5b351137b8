import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { deleteUser, lockForDeletion } from '../src/domain/account-removal.ts'
import { systemActor } from '../src/kernel/actor.ts'
import type { UserId } from '../src/kernel/ids.ts'
import { transact, type Work } from '../src/store/unit-of-work.ts'
import { composeTest } from './support/app.ts'
import { type CommandFolder, commandFolder, type ServerProcess } from './support/cli.ts'
import { testClock } from './support/deps.ts'
import { until } from './support/until.ts'

const password = 'quiet harbour 52'
const person = { email: 'zebulon@mark.example', username: 'zebulon-mark', first_name: 'Zebulon', last_name: 'Quill' }
const agent = 'Mark-of-Zebulon/7'
const marks = [...Object.values(person), agent]
const empty = {
  email_verified_at: null,
  password_hash: null,
  password_changed_at: null,
  is_active: 1,
  is_staff: 0,
  avatar_url: null,
  signup_browser_hash: null,
  created_at: 0,
  last_login_at: null,
  recovery_since: null,
} as const
const settings = { GATELODGE_REGISTRATION: 'instant' }

describe('SQLite: no file holds a byte of address, names or device', { concurrency: true }, () => {
  test('soon after an account deleted itself', async () => {
    await using folder = commandFolder(settings)
    const server = await folder.serve()
    await deleteMe(server, await liveALittle(folder, server))
    await until(() => found(folder).length === 0)
  })

  test('soon after an operator deleted an account while the server was running', async () => {
    await using folder = commandFolder(settings)
    const server = await folder.serve()
    await liveALittle(folder, server)
    await folder.json(`user delete ${person.email} --yes`)
    assert.deepEqual(found(folder), [], 'the command leaves nothing for later')
  })

  test('soon after a server starts that was killed right after a deletion', async () => {
    await using folder = commandFolder(settings)
    const server = await folder.serve()
    await deleteMe(server, await liveALittle(folder, server))
    await server.end('SIGKILL')
    assert.deepEqual(found(folder), marks, 'it had no time to wipe')
    await folder.serve()
    await until(() => found(folder).length === 0)
  })

  test('once the last reader is gone that kept an operator’s deletion from truncating the log', async () => {
    await using folder = commandFolder(settings)
    const server = await folder.serve()
    await liveALittle(folder, server)
    const reader = await readOn(join(folder.path, 'data/gatelodge.db'))
    await folder.json(`user delete ${person.email} --yes`)
    assert.deepEqual(found(folder), marks, 'the command could not wipe')
    await reader.end()
    await until(() => found(folder).length === 0)
  })

  test('of many accounts between others: what SQLite copied within its pages goes too', async () => {
    await using folder = commandFolder()
    const { deps, startJobs, close } = await composeTest(
      { database: `sqlite:${join(folder.path, 'many.db')}` },
      testClock(),
      [],
    )
    const unit = (work: (work: Work) => Promise<void>) => transact(deps, systemActor('job', 'test'), work)
    const people = manyPeople()
    await unit(async (work) => {
      for (const each of people.toSorted((one, other) => one.place - other.place)) await addPerson(work, each)
    })
    await unit(async (work) => {
      for (const { id } of people.slice(0, gone)) {
        await deleteUser(work, id, 'administrator', await lockForDeletion(work, id))
        work.changed([id])
      }
    })
    assert.ok(await deps.store.truncateLog())
    const left = () => found(folder, ['-gone@', '-gone-name'])
    assert.notDeepEqual(left(), [], 'without the log they are still there')
    startJobs()
    await until(() => left().length === 0)
    assert.deepEqual(found(folder, ['-stays@', '-stays-name']), ['-stays@', '-stays-name'])
    await close()
  })
})

interface Person {
  /** The position in the order of creation. */
  readonly place: number
  readonly id: UserId
  readonly email: string
  readonly username: string
}

const gone = 400

/** Returns users in the order in which they are deleted. The last ones stay. */
function manyPeople(): Person[] {
  const places = shuffled(Array.from({ length: 800 }, (_, place) => place))
  return places.map((place, at) => {
    const number = String((place * 7919) % 100_003).padStart(6, '0')
    const id = `00000000-0000-7000-8000-000000${number}` as UserId // well-formed, and the same in each run
    const fate = at < gone ? 'gone' : 'stays'
    return { place, id, email: `${number}-${fate}@mark.example`, username: `${number}-${fate}-name` }
  })
}

async function addPerson({ db }: Work, { id, email, username }: Person): Promise<void> {
  await db
    .insertInto('users')
    .values({ id, email, username, first_name: '', last_name: '-'.repeat(3 * Number(email.slice(4, 6))), ...empty })
    .execute()
  await db.insertInto('usernames').values({ username, user_id: id, email: null, expires_at: null }).execute()
}

/** Shuffles with a fixed seed. */
function shuffled<T>(items: readonly T[]): T[] {
  let state = 1
  const keyed = items.map((item) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return { item, key: state }
  })
  return keyed.sort((one, other) => one.key - other.key).map(({ item }) => item)
}

/** Starts another process that holds a snapshot of the file until it is told to end. */
async function readOn(file: string): Promise<{ end(): Promise<void> }> {
  const script = `
    const db = new (require('node:sqlite').DatabaseSync)(process.argv[1], { readOnly: true })
    db.exec('begin')
    db.prepare('select count(*) from users').get()
    console.log('reading')
    process.stdin.resume()`
  const child = spawn(process.execPath, ['-e', script, file], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return {
    async end() {
      child.stdin.end()
      await once(child, 'exit')
    },
  }
}

async function deleteMe(server: ServerProcess, bearer: string): Promise<void> {
  assert.equal((await ask(server, 'DELETE', '/me', { password }, bearer)).status, 204)
}

/** Creates the account, uses it and leaves traces in the files. */
async function liveALittle(folder: CommandFolder, server: ServerProcess): Promise<string> {
  assert.equal((await ask(server, 'POST', '/signup', { ...person, password })).status, 201)
  const signedIn = await ask(server, 'POST', '/signin', { email: person.email, password })
  const { access_token } = (await signedIn.json()) as { access_token: string }
  assert.equal((await ask(server, 'PATCH', '/me', { profile: { locale: 'en' } }, access_token)).status, 200)
  assert.deepEqual(found(folder), marks, 'all of it was there')
  return access_token
}

function ask({ origin }: ServerProcess, method: string, path: string, body: object, bearer?: string) {
  const headers = {
    'content-type': 'application/json',
    'user-agent': agent,
    ...(bearer && { authorization: `Bearer ${bearer}` }),
  }
  return fetch(`${origin}/api/v1/auth${path}`, { method, headers, body: JSON.stringify(body) })
}

/** Returns which of a user's data appears in any file. */
function found({ path }: CommandFolder, words: readonly string[] = marks): string[] {
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' })
    .map((name) => join(path, name))
    .filter((file) => statSync(file).isFile())
    .map((file) => readFileSync(file))
  return words.filter((mark) => files.some((bytes) => bytes.includes(mark)))
}
