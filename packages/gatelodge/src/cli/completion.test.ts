import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { mailStates } from '../admin/mails/find-mails.ts'
import { settings } from '../config.ts'
import { commands } from './commands/index.ts'
import { completionScript, type Shell, shells } from './completion.ts'

const topics = [...new Set(commands.map(({ name }) => name.split(' ')[0] ?? ''))]
const ofUser = commands.flatMap(({ name }) => (name.startsWith('user ') ? [name.slice('user '.length)] : []))

/** Words, of which the last one is completed, and what it can become. */
const cases: readonly (readonly [words: readonly string[], completions: readonly string[]])[] = [
  [[''], topics],
  [['us'], ['user']],
  [['user', ''], ofUser],
  [['help', ''], topics],
  [['help', 'user', ''], ofUser],
  [['completion', ''], shells],
  [['mail', 'list', '--state', ''], mailStates],
  [
    ['mail', 'list', '--state', 'd'],
    ['delivered', 'dropped'],
  ],
  [
    ['serve', '--registration', ''],
    ['verify', 'instant', 'admin', 'closed'],
  ],
  [['--log-level', 'debug', 'user', 'li'], ['list']],
  [
    ['user', 'list', '--username', ''],
    ['optional', 'required', 'off'],
  ],
  [['user', 'delete', 'ada', '--y'], ['--yes']],
  [['user', 'show', '--y'], []],
  [['--vers'], ['--version']],
]

test('bash completes commands, subcommands, flags and fixed values', () => {
  for (const [words, completions] of cases)
    assert.deepEqual(completed('bash', words), completions.toSorted(), `${words}`)
})

test('bash completes the value after an equals sign', () => {
  assert.deepEqual(completed('bash', ['mail', 'list', '--state', '=', 'de']), ['delivered'])
  assert.deepEqual(completed('bash', ['mail', 'list', '--state', '=']), mailStates.toSorted())
  assert.deepEqual(completed('bash', ['--log-level', '=', 'debug', 'user', 'li']), ['list'])
})

test('bash completes every command and every flag', () => {
  for (const { name, options } of commands) {
    const words = name.split(' ')
    assert.ok(completed('bash', words).includes(words.at(-1) ?? ''), name)
    const flags = completed('bash', [...words, '--'])
    const known = [
      ...Object.keys(options).map((flag) => `--${flag}`),
      ...Object.values(settings).map(({ flag }) => flag),
    ]
    assert.deepEqual(
      known.filter((flag) => !flags.includes(flag)),
      [],
    )
  }
})

test('zsh chooses by the same lines as bash, and its script is well formed', () => {
  const [ofBash, ofZsh] = (['bash', 'zsh'] as const).map((shell) => linesOf(shell))
  const start = ofBash?.findIndex((line) => line.startsWith('  local everywhere=')) ?? -1
  const lines = ofBash?.slice(start, ofBash.indexOf('  esac') + 1) ?? []
  assert.ok(start > 0 && lines.length > 50)
  assert.ok(ofZsh?.join('\n').includes(lines.join('\n')))
  for (const shell of ['bash', 'zsh'] as const) {
    const { status, stderr } = spawnSync('bash', ['-n'], { input: linesOf(shell).join('\n'), encoding: 'utf8' })
    assert.deepEqual([status, stderr], [0, ''])
  }
})

test('the fish script names every command, flag and value, and closes each block and quotation', () => {
  const lines = linesOf('fish')
  const has = (pattern: RegExp) =>
    assert.ok(
      lines.some((line) => pattern.test(line)),
      `${pattern}`,
    )
  for (const { name, options } of commands) {
    const words = name.split(' ')
    has(new RegExp(`__gatelodge_is '${words.slice(0, -1).join(' ')}'" -f -a ${words.at(-1)}( |$)`))
    for (const flag of Object.keys(options)) has(new RegExp(`__gatelodge_below '${name}'" -l ${flag} `))
  }
  for (const { flag, choices } of Object.values<{ flag: string; choices?: readonly string[] }>(settings))
    has(new RegExp(`-l ${flag.slice(2)} .*${choices ? `-a '${choices.join(' ')}'` : ''}`))
  for (const line of lines) assert.equal((line.replace(/\\'/g, '').match(/'/g) ?? []).length % 2, 0, line)
  const opened = lines.filter((line) => /^ *(?:function|for|if|switch) /.test(line))
  assert.equal(lines.filter((line) => /^ *end$/.test(line)).length, opened.length)
})

test('zsh and fish complete like bash, where they are installed', () => {
  for (const shell of ['zsh', 'fish'] as const) {
    if (spawnSync(shell, ['--version']).error) continue
    for (const [words, completions] of cases.filter(([, { length }]) => length > 0))
      assert.deepEqual(completed(shell, words), completions.toSorted(), `${shell}: ${words}`)
  }
})

function linesOf(shell: Shell): string[] {
  return completionScript(shell, commands).split('\n')
}

// zsh has these functions only while it completes.
const zshFunctions = `compdef() { }
_files() { }
compadd() { shift; print -rl -- \${(M)@:#\${words[-1]}*}; }
`

/** Returns what the last word can become, sorted. */
function completed(shell: Shell, words: readonly string[]): string[] {
  const quoted = words.map((word) => `'${word}'`).join(' ')
  const ask = {
    bash: `COMP_WORDS=(gatelodge ${quoted}); COMP_CWORD=${words.length}; _gatelodge; printf '%s\\n' "\${COMPREPLY[@]}"`,
    zsh: `words=(gatelodge ${quoted}); CURRENT=${words.length + 1}; _gatelodge`,
    fish: `complete -C "gatelodge ${words.join(' ')}"`,
  }
  const script = `${shell === 'zsh' ? zshFunctions : ''}${linesOf(shell).join('\n')}\n${ask[shell]}\n`
  const { stdout, stderr } = spawnSync(shell, ['-c', script], { encoding: 'utf8' })
  assert.equal(stderr, '')
  return stdout
    .split('\n')
    .flatMap((line) => line.split('\t')[0] || [])
    .sort()
}
