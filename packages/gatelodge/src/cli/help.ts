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

const closing = 'gatelodge COMMAND --help says more about one.'

function oneCommand(command: Command): string {
  const own = Object.keys(command.options).length > 0 ? `\n\nOptions:\n${optionLines(command.options)}` : ''
  return `${command.summary}

Usage: ${usageOf(command)} [options]${own}

Everywhere:
${optionLines(commonOptions)}

Every setting is a flag as well; gatelodge --help lists them.`
}

function everything(commands: readonly Command[]): string {
  const flags = Object.values(settings).map(({ flag, env }) => [`  ${flag}`, env])
  return `Usage: gatelodge COMMAND [options]

${list(commands)}

Everywhere:
${optionLines(commonOptions)}

Settings, as flag or environment variable (gatelodge config prints what they are):
${columns(flags)}

Exit status: 0 done, 1 failed, 2 not understood. ${closing}`
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
