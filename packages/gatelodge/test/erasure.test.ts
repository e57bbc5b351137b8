import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type CommandFolder, commandFolder, type ServerProcess } from './support/cli.ts'
import { until } from './support/until.ts'

const password = 'quiet harbour 52'
const person = { email: 'zebulon@mark.example', username: 'zebulon-mark', first_name: 'Zebulon', last_name: 'Quill' }
const agent = 'Mark-of-Zebulon/7'
const marks = [...Object.values(person), agent]

test('SQLite: soon after an account deleted itself no file holds a byte of its address, names or device', async () => {
  await using folder = commandFolder({ GATELODGE_REGISTRATION: 'instant' })
  const server = await folder.serve()
  const bearer = await liveALittle(folder, server)
  const { status } = await ask(server, 'DELETE', '/me', { password }, bearer)
  assert.equal(status, 204)
  await until(() => found(folder).length === 0)
})

test('SQLite: soon after an operator deleted an account beside the server no file holds a byte of it', async () => {
  await using folder = commandFolder({ GATELODGE_REGISTRATION: 'instant' })
  const server = await folder.serve()
  await liveALittle(folder, server)
  await folder.json(`user delete ${person.email} --yes`)
  assert.deepEqual(found(folder), [], 'the command leaves nothing for later')
})

/** Makes the account, uses it and leaves its traces in the files. */
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

/** What of the person stands in any file. */
function found({ path }: CommandFolder): string[] {
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' })
    .map((name) => join(path, name))
    .filter((file) => statSync(file).isFile())
    .map((file) => readFileSync(file))
  return marks.filter((mark) => files.some((bytes) => bytes.includes(mark)))
}
