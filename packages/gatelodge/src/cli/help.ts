import { settings } from '../config.ts'
import type { Command, Options, Result } from './command.ts'
import type { Paint } from './paint.ts'
import { commonOptions, usageOf } from './parse.ts'
import { columns, glossary } from './text.ts'

/** Returns the help for these commands: in full for one, as a list for several. */
export function help(about: readonly Command[], all: readonly Command[], paint: Paint): Result {
  const json = { commands: about.map(describe) }
  const [only] = about
  const parts =
    only && about.length === 1 ? oneCommand(only) : about.length === all.length ? everything(all) : group(about)
  return { json, text: parts.map((part) => part.replace(title, (found) => paint('bold', found))).join('\n\n') }
}

/** The beginning of a part of the help. */
const title = /^(?:Settings.*|[A-Z][a-z]+(?: [a-z]+)?):(?=\s)/

const closing = 'Run "gatelodge COMMAND --help" for details about a command.'

/** Where to begin, for an operator who runs the program for the first time. */
const firstSteps = ['gatelodge serve', 'gatelodge admin create', 'gatelodge user list', 'gatelodge help user create']

function oneCommand(command: Command): string[] {
  return [
    command.summary,
    `Usage: ${usageOf(command)} [options]`,
    examples(command.examples),
    ...(Object.keys(command.options).length > 0 ? [`Options:\n${optionLines(command.options)}`] : []),
    `Global options:\n${optionLines(commonOptions)}`,
    'Every setting can also be given as a flag; "gatelodge --help" lists them.',
  ]
}

function group(commands: readonly Command[]): string[] {
  return [list(commands), examples(commands.map(({ examples: [first] }) => first)), closing]
}

function everything(commands: readonly Command[]): string[] {
  const flags = Object.values(settings).map(({ flag, env }) => [`  ${flag}`, env])
  return [
    'Usage: gatelodge COMMAND [options]',
    examples(firstSteps),
    list(commands),
    `Global options:\n${optionLines(commonOptions)}`,
    `Settings, as flags and environment variables ("gatelodge config" prints their current values):\n${columns(flags)}`,
    'Exit status: 0 on success, 1 on failure, 2 on a usage error.',
    closing,
  ]
}

function examples(lines: readonly string[]): string {
  return `Examples:\n${lines.map((line) => `  ${line}`).join('\n')}`
}

function list(commands: readonly Command[]): string {
  const rows = commands.map(({ name, operands, summary }) => [`  ${[name, ...operands].join(' ')}`, summary])
  return `Commands:\n${glossary(rows)}`
}

function optionLines(options: Options): string {
  const rows = Object.entries(options).map(([name, { value, short, required, doc }]) => {
    const forms = [...(short === undefined ? [] : [`-${short}`]), `--${[name, value ?? []].flat().join(' ')}`]
    return [`  ${forms.join(', ')}`, required ? `${doc} Required.` : doc]
  })
  return glossary(rows)
}

function describe(command: Command) {
  const options = Object.entries(command.options).map(([name, { value, required, doc }]) => ({
    flag: `--${name}`,
    value: value ?? null,
    required: required === true,
    description: doc,
  }))
  const { name, summary, operands, examples } = command
  return { name, summary, usage: usageOf(command), operands, options, examples }
}
