import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bin, type CommandFolder, commandFolder } from '../../test/support/cli.ts'
import { onTerminal, type TerminalSession } from '../../test/support/pty.ts'
import { shellWord } from '../kernel/shell-word.ts'

const password = 'quiet harbour 52'
const program = `${shellWord(process.execPath)} ${shellWord(bin)}`

function enter(folder: CommandFolder, command: string): TerminalSession {
  return onTerminal(command, { cwd: folder.path, env: { ...process.env, ...folder.env } })
}

async function isAdministrator(folder: CommandFolder, email: string): Promise<boolean> {
  const { users } = await folder.json<{ users: { email: string; is_staff: boolean }[] }>('user list')
  return users.some((user) => user.email === email && user.is_staff)
}

test('on a terminal, admin create asks for the address and twice for the password, which is not shown', async () => {
  await using folder = commandFolder()
  using terminal = enter(folder, `${program} admin create`)
  await terminal.answer('Email address: ', 'root@example.com\n')
  await terminal.answer('Password: ', `${password}\n`)
  await terminal.answer('Repeat the password: ', 'quiet harbour 53\n')
  await terminal.answer('The passwords are not the same. Enter both again.\nPassword: ', `wrong\x15${password}x\x7f\r`)
  await terminal.answer('Repeat the password: ', `${password}\n`)
  assert.equal(await terminal.ended(), 0, terminal.shown())
  assert.match(terminal.shown(), /Email address: root@example\.com\n.*Created the administrator root@example\.com/s)
  assert.doesNotMatch(terminal.shown(), /quiet|harbour|wrong/)

  const { origin } = await folder.serve()
  const response = await fetch(`${origin}/api/v1/auth/signin`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'root@example.com', password }),
  })
  assert.equal(response.status, 200)
  assert.ok(await isAdministrator(folder, 'root@example.com'))
})

test('answers that are entered ahead of the questions count, as when they are pasted', async () => {
  await using folder = commandFolder()
  using terminal = enter(folder, `${program} admin create --email root@example.com`)
  await terminal.answer('Password: ', `${password}\n${password}\n`)
  assert.equal(await terminal.ended(), 0, terminal.shown())
  assert.doesNotMatch(terminal.shown(), /harbour/)
})

test('an account that exists is promoted without a question', async () => {
  await using folder = commandFolder()
  await folder.json('user create --email ada@example.com --invite')
  using terminal = enter(folder, `${program} admin create --email ada@example.com`)
  assert.equal(await terminal.ended(), 0, terminal.shown())
  assert.doesNotMatch(terminal.shown(), /Password/)
  assert.ok(await isAdministrator(folder, 'ada@example.com'))
})

test('Ctrl-C at a hidden question ends the command and leaves a terminal that shows what is entered', async () => {
  await using folder = commandFolder()
  const after = 'status=$?; stty -a; echo "status $status"; read -r line; echo "read $line"'
  using terminal = enter(folder, `${program} admin create --email root@example.com; ${after}`)
  await terminal.answer('Password: ', 'quiet\x03')
  await terminal.answer('status 130', 'visible\n')
  assert.equal(await terminal.ended(), 0)
  assert.match(terminal.shown(), /[ ;]echo[ ;]/)
  assert.match(terminal.shown(), /visible\nread visible/)
  assert.equal(await isAdministrator(folder, 'root@example.com'), false)
})

test('Ctrl-D instead of an answer is a usage error', async () => {
  await using folder = commandFolder()
  for (const [command, question] of [
    ['admin create', 'Email address: '],
    ['admin create --email root@example.com', 'Password: '],
  ] as const) {
    using terminal = enter(folder, `${program} ${command}`)
    await terminal.answer(question, '\x04')
    assert.equal(await terminal.ended(), 2, terminal.shown())
  }
})

test('nothing is asked without a terminal or with --json; the errors name the flags to pass', async () => {
  await using folder = commandFolder()
  const email = await folder.run('admin create')
  assert.equal(email.status, 2)
  assert.match(email.stderr, /^gatelodge: --email is required\. Usage: .* --password-stdin\n$/)
  const missing = await folder.run('admin create --email root@example.com')
  assert.equal(missing.status, 1)
  assert.match(missing.stderr, /--password-stdin/)

  using terminal = enter(folder, `${program} admin create --email root@example.com --json`)
  assert.equal(await terminal.ended(), 1)
  assert.match(terminal.shown(), /"code":"input_invalid".*--password-stdin/)
})
