import { settings } from '../config.ts'
import type { Command, Options, Result } from './command.ts'
import { commonOptions, usageOf } from './parse.ts'
import { columns } from './text.ts'

/** Returns the help for these commands: in full for one, as a list for several. */
export function help(about: readonly Command[], all: readonly Command[]): Result {
  const json = { commands: about.map(describe) }
  const [only] = about
  if (only && about.length === 1) return { json, text: oneCommand(only) }

  return { json, text: about.length === all.length ? everything(all) : `${list(about)}\n\n${closing}` }
}

const closing = 'Run "gatelodge COMMAND --help" for details about a command.'

function oneCommand(command: Command): string {
  const own = Object.keys(command.options).length > 0 ? `\n\nOptions:\n${optionLines(command.options)}` : ''
  return `${command.summary}

Usage: ${usageOf(command)} [options]${own}

Global options:
${optionLines(commonOptions)}

Every setting can also be given as a flag; "gatelodge --help" lists them.`
}

function everything(commands: readonly Command[]): string {
  const flags = Object.values(settings).map(({ flag, env }) => [`  ${flag}`, env])
  return `Usage: gatelodge COMMAND [options]

${list(commands)}

Global options:
${optionLines(commonOptions)}

Settings, as flags and environment variables ("gatelodge config" prints their current values):
${columns(flags)}

Exit status: 0 on success, 1 on failure, 2 on a usage error. ${closing}`
}

function list(commands: readonly Command[]): string {
  const rows = commands.map(({ name, operands, summary }) => [`  ${[name, ...operands].join(' ')}`, summary])
  return `Commands:\n${columns(rows)}`
}

function optionLines(options: Options): string {
  return columns(
    Object.entries(options).map(([name, { value, required, doc }]) => [
      `  --${[name, value ?? []].flat().join(' ')}`,
      required ? `${doc} Required.` : doc,
    ]),
  )
}

function describe(command: Command) {
  const options = Object.entries(command.options).map(([name, { value, required, doc }]) => ({
    flag: `--${name}`,
    value: value ?? null,
    required: required === true,
    description: doc,
  }))
  return { name: command.name, summary: command.summary, usage: usageOf(command), operands: command.operands, options }
}
