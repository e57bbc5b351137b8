import { styleText } from 'node:util'
import type { Io } from './io.ts'

/** Returns a text in a colour or in bold, or unchanged where colours are off. */
export type Paint = (style: 'bold' | 'green' | 'yellow' | 'red', text: string) => string

/** Returns how to colour text on an output: not at all unless it is a terminal, and never with `NO_COLOR` (no-color.org) or `TERM=dumb`. */
export function painter({ env, isTerminal }: Io, output: 'stdout' | 'stderr'): Paint {
  const isOn = isTerminal[output] && !env.NO_COLOR && env.TERM !== 'dumb'
  return (style, text) => (isOn ? styleText(style, text, { validateStream: false }) : text)
}
