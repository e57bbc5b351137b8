import { parseArgs } from 'node:util'
import { nearest, type Setting, settings } from '../config.ts'
import { AuthError } from '../kernel/errors.ts'
import type { Command, CommandContext, Option, Options } from './command.ts'

/** A parsed command line. */
export type Asked =
  | { readonly kind: 'version' }
  /** Help about all commands, about a group such as `user`, or about one command. */
  | { readonly kind: 'help'; readonly about: readonly Command[] }
  | { readonly kind: 'run'; readonly command: Command; readonly given: Given }

type Given = Pick<CommandContext, 'options' | 'operands' | 'flags' | 'configFile'>

/** The options that every command accepts, in addition to its own and the settings. */
export const commonOptions = {
  help: { short: 'h', doc: 'Show the usage and exit.' },
  version: { short: 'v', doc: 'Print the version and exit.' },
  json: { doc: 'Print JSON on standard output, and errors as one line of JSON on standard error.' },
  config: { value: 'FILE', doc: 'Read settings from a JSON file.' },
} as const satisfies Options

/** The settings as options. */
export const settingOptions: Options = Object.fromEntries(
  Object.values<Setting<unknown>>(settings).map(({ flag, doc, choices }) => [
    flag.slice(2),
    { value: 'VALUE', doc, ...(choices && { choices }) },
  ]),
)

/** Parses a command line by the command table. @throws command_invalid with the nearest known name as a hint */
export function parseCommandLine(argv: readonly string[], commands: readonly Command[]): Asked {
  const everyOption = Object.assign({}, settingOptions, commonOptions, ...commands.map(({ options }) => options))
  const { words, switches, texts } = readTokens(argv, everyOption)
  const command = commands.find(({ name }) => isBelow(words, name.split(' ')))
  const isBare = words.length === 0 && texts.size === 0 && switches.isSubsetOf(new Set(['json']))
  if (isBare) return { kind: 'help', about: commands }

  if (switches.has('help')) {
    const about = command ? [command] : commands.filter(({ name }) => isBelow(name.split(' '), words))
    return { kind: 'help', about: about.length > 0 ? about : commands }
  }
  if (switches.has('version')) return { kind: 'version' }
  if (!command) throw unknownCommand(words, commands)

  return { kind: 'run', command, given: readGiven(argv, command) }
}

/** Returns the commands below these words: one, a group, or all for no words. @throws command_invalid with the nearest known name as a hint */
export function commandsNamed(words: readonly string[], commands: readonly Command[]): readonly Command[] {
  const named = commands.filter(({ name }) => isBelow(name.split(' '), words))
  if (named.length === 0) throw unknownCommand(words, commands)
  return named
}

/** Creates an error about the command line itself. */
export function usageError(detail: string): AuthError {
  return new AuthError('command_invalid', { detail })
}

/** Returns the usage of a command: its name and what must follow. */
export function usageOf({ name, operands, options }: Command): string {
  const required = Object.entries(options).filter(([, option]) => option.required)
  return ['gatelodge', name, ...operands, ...required.map(([flag, { value }]) => `--${flag} ${value}`)].join(' ')
}

function readGiven(argv: readonly string[], command: Command): Given {
  // An option of the command takes precedence over a setting of the same name, such as the username of `user create`.
  const known: Options = { ...settingOptions, ...commonOptions, ...command.options }
  const { words, switches, texts } = readTokens(argv, known, assertKnown)

  const operands = words.slice(command.name.split(' ').length)
  const required = command.operands.filter((name) => !name.startsWith('['))
  if (operands.length < required.length || operands.length > command.operands.length)
    throw usageError(`Usage: ${usageOf(command)}`)
  const missing = Object.entries(command.options).find(([name, { required }]) => required && !texts.has(name))
  if (missing) throw usageError(`--${missing[0]} is required. Usage: ${usageOf(command)}`)

  const flags = [...texts].filter(([name]) => name in settingOptions && !(name in command.options))
  return {
    options: Object.fromEntries(
      Object.entries(command.options).map(([name, { value }]) => [name, value ? texts.get(name) : switches.has(name)]),
    ),
    operands: Object.fromEntries(command.operands.map((name, index) => [name, operands[index] ?? ''])),
    flags: Object.fromEntries(flags),
    configFile: texts.get('config'),
  }
}

type Token = NonNullable<ReturnType<typeof parseArgs>['tokens']>[number]
type OptionToken = Extract<Token, { kind: 'option' }>

function readTokens(
  argv: readonly string[],
  options: Options,
  check?: (token: OptionToken, options: Options, texts: ReadonlyMap<string, string>) => void,
) {
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(Object.entries(options).map(([name, option]) => [name, toParsed(option)])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })

  const words: string[] = []
  const switches = new Set<string>()
  const texts = new Map<string, string>()
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value)
    if (token.kind !== 'option') continue
    check?.(token, options, texts)
    if (token.value === undefined) switches.add(token.name)
    else texts.set(token.name, token.value)
  }
  return { words, switches, texts }
}

function toParsed({ value, short }: Option) {
  const type: 'string' | 'boolean' = value === undefined ? 'boolean' : 'string'
  return short === undefined ? { type } : { type, short }
}

function assertKnown(token: OptionToken, options: Options, texts: ReadonlyMap<string, string>): void {
  const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined
  if (!option) {
    const known = Object.keys(options).map((name) => `--${name}`)
    throw usageError(`Unknown option ${token.rawName}; did you mean ${nearest(token.rawName, known)}?`)
  }

  if (option.value === undefined) {
    if (token.value !== undefined) throw usageError(`${token.rawName} does not take a value`)
    return
  }
  // A value that looks like an option is most likely the next option: `--email --json`.
  const isSwallowed = token.inlineValue === false && token.value?.startsWith('-')
  if (token.value === undefined || isSwallowed)
    throw usageError(`${token.rawName} requires a value: ${token.rawName}=${option.value}`)
  if (texts.has(token.name)) throw usageError(`${token.rawName} can be given only once`)
}

function unknownCommand(words: readonly string[], commands: readonly Command[]): AuthError {
  if (words.length === 0) return usageError('A command is required; "gatelodge --help" lists them')

  const group = commands.filter(({ name }) => isBelow(name.split(' '), words)).map(({ name }) => name)
  if (group.length > 0) return usageError(`Specify one of: ${group.join(', ')}`)

  const asked = words.slice(0, 2).join(' ')
  const hint = nearest(
    asked,
    commands.flatMap(({ name }) => [name, ...name.split(' ', 1)]),
  )
  return usageError(`Unknown command "${asked}"; did you mean ${hint}?`)
}

function isBelow(words: readonly string[], start: readonly string[]): boolean {
  return start.every((word, index) => words[index] === word)
}
