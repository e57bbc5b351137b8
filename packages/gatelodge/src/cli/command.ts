import type { ConfigSources, readConfig } from '../config.ts'
import type { Io } from './io.ts'

/** A flag: with `value`, the word that help shows for it, it takes a text; without, it is on or off. */
export interface Option {
  readonly value?: string
  readonly required?: true
  readonly doc: string
}

export type Options = Readonly<Record<string, Option>>

/** What was given for each option: a text, undefined where an optional one is missing, or whether a switch is on. */
export type Values<O extends Options> = {
  readonly [Name in keyof O]: O[Name] extends { value: string; required: true }
    ? string
    : O[Name] extends { value: string }
      ? string | undefined
      : boolean
}

/** What a command says: `json` for programs (snake_case), `text` for people, and whether it failed all the same. */
export interface Result {
  readonly json: unknown
  readonly text: string
  readonly failed?: boolean
}

export type LoadedConfig = ReturnType<typeof readConfig>

/** What a command is run with. */
export interface CommandContext<
  Given = Readonly<Record<string, string | boolean | undefined>>,
  Operand extends string = string,
> {
  readonly io: Io
  /** Whether standard output takes JSON only. */
  readonly json: boolean
  readonly options: Given
  readonly operands: Readonly<Record<Operand, string>>
  /** Setting flags as they were given, without their dashes. */
  readonly flags: ConfigSources['flags']
  /** The path given with `--config`. */
  readonly configFile: string | undefined
}

/** One row of the command table: parser, help and dispatch read the same literal. */
export interface Command {
  readonly name: string
  readonly summary: string
  /** Names of the words that must follow, in order; those in brackets may be left out at the end, and are empty then. */
  readonly operands: readonly string[]
  readonly options: Options
  /** Answers what to print, or null when it printed by itself. */
  readonly run: (context: CommandContext) => Promise<Result | null>
}

interface CommandRow<O extends Options, Operand extends string> {
  readonly name: string
  readonly summary: string
  readonly operands: readonly Operand[]
  readonly options: O
  readonly run: (context: CommandContext<Values<O>, Operand>) => Promise<Result | null>
}

/** A row of the command table, whose `run` knows its options and operands by name. */
export function command<const O extends Options, const Operand extends string>(row: CommandRow<O, Operand>): Command {
  // The parser gives exactly the options and operands that the row declares.
  return { ...row, run: (context) => row.run(context as CommandContext<Values<O>, Operand>) }
}
