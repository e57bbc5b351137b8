import type { ConfigSources, readConfig } from '../config.ts'
import type { Io } from './io.ts'
import type { Paint } from './paint.ts'
import type { Status } from './progress.ts'

/** A flag. With `value`, the placeholder in help, it takes an argument; without, it is a switch. */
export interface Option {
  readonly value?: string
  readonly required?: true
  /** The only values that it accepts. */
  readonly choices?: readonly string[]
  /** The letter of its short form. */
  readonly short?: string
  readonly doc: string
}

export type Options = Readonly<Record<string, Option>>

/** The values of all options: a text, undefined for an optional one that is missing, or whether a switch is on. */
export type Values<O extends Options> = {
  readonly [Name in keyof O]: O[Name] extends { value: string; required: true }
    ? string
    : O[Name] extends { value: string }
      ? string | undefined
      : boolean
}

/** The output of a command: `json` for programs (snake_case), `text` for people, and whether it failed nevertheless. */
export interface Result {
  readonly json: unknown
  readonly text: string
  readonly failed?: boolean
}

export type LoadedConfig = ReturnType<typeof readConfig>

/** The input of a command. */
export interface CommandContext<
  Given = Readonly<Record<string, string | boolean | undefined>>,
  Operand extends string = string,
> {
  readonly io: Io
  /** Whether standard output is restricted to JSON. */
  readonly json: boolean
  readonly options: Given
  readonly operands: Readonly<Record<Operand, string>>
  /** Flags that name settings, without their dashes. */
  readonly flags: ConfigSources['flags']
  /** The path from `--config`. */
  readonly configFile: string | undefined
  /** The command table, for the commands that describe it. */
  readonly commands: readonly Command[]
  /** Colours text for standard output. */
  readonly paint: Paint
  readonly status: Status
}

/** One row of the command table. Parser, help and dispatch read the same object. */
export interface Command {
  readonly name: string
  readonly summary: string
  /** Names of the operands, in order. Those in brackets at the end are optional, and empty when omitted. */
  readonly operands: readonly string[]
  readonly options: Options
  /** Command lines for the help, at least one. */
  readonly examples: readonly [string, ...string[]]
  /** Returns what to print, or null if the command printed its own output. */
  readonly run: (context: CommandContext) => Promise<Result | null>
}

interface CommandRow<O extends Options, Operand extends string> {
  readonly name: string
  readonly summary: string
  readonly operands: readonly Operand[]
  readonly options: O
  readonly examples: readonly [string, ...string[]]
  readonly run: (context: CommandContext<Values<O>, Operand>) => Promise<Result | null>
}

/** Defines a row of the command table, with the options and operands typed for `run`. */
export function command<const O extends Options, const Operand extends string>(row: CommandRow<O, Operand>): Command {
  // The parser provides exactly the options and operands that the row declares.
  return { ...row, run: (context) => row.run(context as CommandContext<Values<O>, Operand>) }
}
