import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { forEachDatabase } from '../../test/support/app.ts'
import { commandFolder, commandFolderOn } from '../../test/support/cli.ts'
import { version } from '../kernel/version.ts'
import { commands } from './commands/index.ts'
import type { Io } from './io.ts'
import { parseCommandLine } from './parse.ts'

/** For each command, arguments that succeed in a folder with just one account; null if another test runs it. */
const samples: Readonly<Record<string, { words: string; input?: string } | null>> = {
  serve: null,
  config: { words: '' },
  doctor: { words: '--public-url http://localhost:9' }, // a port that fetch blocks
  'migrate status': { words: '' },
  'migrate plan': { words: '' },
  'migrate up': { words: '' },
  'admin create': { words: '--email root@example.com --password-stdin', input: 'quiet harbour 52\n' },
  'user create': { words: '--email grace@example.com --invite' },
  'user list': { words: '--search ada --limit 5' },
  'user show': { words: 'ada@example.com' },
  'user activate': { words: 'ada@example.com' },
  'user deactivate': { words: 'ada@example.com' },
  'user reset-password': { words: 'grace@example.com' },
  'user export': { words: 'ada@example.com' },
  'user delete': { words: 'ada@example.com --yes' },
  'client create': { words: 'billing --scope orders:read' },
  'client list': { words: '' },
  'client revoke': { words: 'billing' },
  'keys list': { words: '' },
  'keys rotate': { words: '' },
  'mail list': { words: '--state requested' },
  'mail retry': null,
  'mail test': { words: 'ada@example.com' },
  backup: { words: 'copy.db' },
  copy: { words: '--to sqlite:moved.db' },
  help: { words: 'user create' },
  completion: { words: 'bash' },
}

test('every command has help, for people and for programs', async () => {
  await using folder = commandFolder()
  for (const { name, summary } of commands) {
    const { status, stdout } = await folder.run(`${name} --help`)
    assert.equal(status, 0)
    assert.ok(stdout.includes(summary) && stdout.includes(`gatelodge ${name}`), name)
    const { commands: described } = await folder.json<{ commands: { name: string; usage: string }[] }>(`${name} --help`)
    assert.deepEqual(
      described.map((row) => row.name),
      [name],
    )
  }
})

test('help lists every command, or those of a group, and -h is its short form', async () => {
  await using folder = commandFolder()
  const { stdout } = await folder.run('--help')
  for (const { name } of commands) assert.ok(stdout.includes(`  ${name} `), name)
  assert.ok(stdout.includes('--listen') && stdout.includes('GATELODGE_LISTEN'))

  const group = await folder.run('user -h')
  assert.equal(group.status, 0)
  assert.ok(group.stdout.includes('user export') && !group.stdout.includes('mail list'))
})

test('the program alone prints its help, and "help" that of what follows', async () => {
  await using folder = commandFolder()
  const same = [
    ['', '--help'],
    ['help', '--help'],
    ['help user', 'user --help'],
    ['help user create', 'user create --help'],
  ] as const
  for (const [asked, flag] of same) {
    const said = await folder.run(asked === '' ? [] : asked)
    assert.deepEqual(said, await folder.run(flag), asked)
    assert.deepEqual([said.status, said.stderr], [0, ''])
  }
})

test('every help has an example, fits 100 columns, and every example is a valid command line', async () => {
  await using folder = commandFolder()
  for (const topic of ['', ...new Set(commands.flatMap(({ name }) => [name, name.split(' ')[0] ?? '']))]) {
    const { stdout } = await folder.run(`help ${topic}`.trim())
    assert.match(stdout, /^Examples:\n {2}gatelodge /m, topic)
    assert.deepEqual(
      stdout.split('\n').filter((line) => line.length > 100),
      [],
    )
    for (const [, example = ''] of stdout.matchAll(/^ {2}gatelodge (.+)$/gm)) {
      const words = [...example.replace(/ [<>].*/, '').matchAll(/"([^"]+)"|(\S+)/g)].map(
        (word) => word[1] ?? word[2] ?? '',
      )
      const asked = parseCommandLine(words, commands)
      assert.ok(asked.kind === 'run' && (topic === '' || asked.command.name.startsWith(topic)), example)
    }
  }
})

test('colours are used only on a terminal, and not with NO_COLOR or TERM=dumb', async () => {
  const isTerminal = { stdout: true, stderr: true }
  const colours = async (env: Readonly<Record<string, string>>, io: Partial<Io>) => {
    await using folder = commandFolder(env)
    const said = [await folder.run('help', io), await folder.run('nonsense', io)]
    return said.map(({ stdout, stderr }) => (stdout + stderr).includes('\x1b['))
  }
  assert.deepEqual(await colours({}, { isTerminal }), [true, true])
  assert.deepEqual(await colours({}, {}), [false, false])
  assert.deepEqual(await colours({ NO_COLOR: '1' }, { isTerminal }), [false, false])
  assert.deepEqual(await colours({ TERM: 'dumb' }, { isTerminal }), [false, false])
})

test('every command rejects an unknown option with exit status 2 and suggests the nearest', async () => {
  await using folder = commandFolder()
  for (const { name } of commands) {
    const said = await folder.run(`${name} --log-levle debug`)
    assert.equal(said.status, 2, name)
    assert.match(said.stderr, /^gatelodge: .*--log-levle.*--log-level\?\n$/)

    const json = await folder.run(`${name} --log-levle=debug --json`)
    assert.deepEqual([json.status, json.stdout], [2, ''])
    assert.equal(JSON.parse(json.stderr).code, 'command_invalid')
  }
})

forEachDatabase('commands', (engine) => {
  test('with --json every command prints one JSON document and nothing else', async () => {
    assert.deepEqual(
      Object.keys(samples),
      commands.map(({ name }) => name),
    )
    await using folder = await commandFolderOn(engine)
    await folder.json('user create --email ada@example.com --password-stdin', 'quiet harbour 52')

    for (const [name, sample] of Object.entries(samples)) {
      if (sample === null || (name === 'backup' && engine === 'postgres')) continue // there it prints the command to use, and fails
      const words = [...name.split(' '), ...sample.words.split(' ').filter(Boolean)]
      const { status, stdout, stderr } = await folder.run([...words, '--json'], { input: sample.input ?? '' })
      assert.equal(status, 0, `${name}: ${stderr}`)
      assert.match(stdout, /^\{.*\}\n$/)
      assert.equal(stderr, '')
      JSON.parse(stdout)
    }
  })

  test('without --json every command prints text for people', async () => {
    await using folder = await commandFolderOn(engine)
    await folder.json('user create --email ada@example.com --password-stdin', 'quiet harbour 52')

    for (const [name, sample] of Object.entries(samples)) {
      if (sample === null || (name === 'backup' && engine === 'postgres')) continue
      const words = [...name.split(' '), ...sample.words.split(' ').filter(Boolean)]
      const { status, stdout, stderr } = await folder.run(words, { input: sample.input ?? '' })
      assert.equal(status, 0, `${name}: ${stderr}`)
      assert.ok(stdout.trim().length > 0, name)
    }
  })
})

test('an invalid command line exits with status 2 and a hint', async () => {
  await using folder = commandFolder()
  const cases: readonly (readonly [string[], RegExp])[] = [
    [['--log-level', 'debug'], /gatelodge --help/],
    [['help', 'usr', 'create'], /"usr create"; did you mean user create\?/],
    [['usr'], /did you mean user\?/],
    [['user'], /user create, user list/],
    [['usr', 'list'], /"usr list"; did you mean user list\?/],
    [['confg'], /did you mean config\?/],
    [['user', 'create'], /--email is required/],
    [['user', 'create', '--email'], /--email requires a value/],
    [['user', 'create', '--email', '--invite'], /--email requires a value/],
    [['user', 'list', '--limit', '5', '--limit', '6'], /--limit can be given only once/],
    [['user', 'list', '--limit', '0'], /--limit must be/],
    [['user', 'list', '--json=yes'], /--json does not take a value/],
    [['user', 'show'], /Usage: gatelodge user show/],
    [['user', 'show', 'ada', 'grace'], /Usage: gatelodge user show/],
    [['user', 'delete', 'ada'], /--yes/],
    [['user', 'create', '--email', 'a@b.example'], /either --password-stdin or --invite/],
    [['user', 'create', '--email', 'a@b.example', '--password-stdin'], /which was empty/],
    [['user', 'list', '--__proto__'], /Unknown option --__proto__/],
    [['mail', 'list', '--state', 'lost'], /--state must be one of/],
  ]
  for (const [argv, hint] of cases) {
    const { status, stdout, stderr } = await folder.run(argv)
    assert.deepEqual([status, stdout], [2, ''], argv.join(' '))
    assert.match(stderr, hint)
    assert.equal(stderr.split('\n').length, 2)
  }
})

test('the version is printed alone', async () => {
  await using folder = commandFolder()
  assert.deepEqual(await folder.run('--version'), { status: 0, stdout: `${version}\n`, stderr: '' })
  assert.deepEqual(await folder.run('-v'), await folder.run('--version'))
  assert.deepEqual(await folder.json('--version'), { name: 'gatelodge', version })
})

test('all invalid settings are listed together, in any command, with exit status 1', async () => {
  await using folder = commandFolder({ GATELODGE_LISTEN: 'nowhere', GATELODGE_LISTN: '1', GATELODGE_RESET_TTL: '0s' })
  for (const name of ['config', 'serve', 'user list', 'migrate up']) {
    const { status, stdout, stderr } = await folder.run(name)
    assert.deepEqual([status, stdout], [1, ''])
    for (const field of ['GATELODGE_LISTEN', 'GATELODGE_LISTN', 'GATELODGE_RESET_TTL'])
      assert.ok(stderr.includes(`\n  ${field} `))
  }
  const { errors } = JSON.parse((await folder.run('config --json')).stderr)
  assert.equal(errors.length, 3)
})

test('settings come from flags, the environment and a file, and secrets are masked', async () => {
  await using folder = commandFolder({
    GATELODGE_SECRET: 'a secret that must never be shown',
    GATELODGE_RESET_TTL: '10m',
  })
  writeFileSync(join(folder.path, 'settings.json'), '{"service_name": "Porch", "reset_ttl": "20m"}')
  const command = 'config --config settings.json --verify-ttl 2h'
  const { settings } = await folder.json<{ settings: { name: string; value: string; source: string }[] }>(command)
  const of = (name: string) => settings.find((setting) => setting.name === `GATELODGE_${name}`)

  assert.deepEqual(of('SERVICE_NAME'), { name: 'GATELODGE_SERVICE_NAME', value: 'Porch', source: 'file' })
  assert.equal(of('RESET_TTL')?.value, '10m')
  assert.equal(of('VERIFY_TTL')?.source, 'flag')
  assert.equal(of('SECRET')?.value, '********')
  const text = await folder.run(`${command} --enumeration explicit`)
  assert.match(text.stdout, /Warning: GATELODGE_ENUMERATION=explicit/)
  assert.doesNotMatch(text.stdout, /must never be shown/)
})

test('a config file that cannot be read is reported as an error, not a crash', async () => {
  await using folder = commandFolder()
  const { status, stderr } = await folder.run('config --config missing.json')
  assert.equal(status, 1)
  assert.match(stderr, /--config names a file that cannot be read/)
})

test('an error of the operating system is reported in one line', async () => {
  await using folder = commandFolder()
  writeFileSync(join(folder.path, 'data'), 'a file where a folder should be')
  const { status, stderr } = await folder.run('user list')
  assert.equal(status, 1)
  assert.match(stderr, /^gatelodge: .+\n$/)
  assert.equal(JSON.parse((await folder.run('user list --json')).stderr).code, 'service_unavailable')
})
