import { command } from '../command.ts'
import { completionScript, shells } from '../completion.ts'
import { usageError } from '../parse.ts'

const operand = shells.join('|')

export const completionCommands = [
  command({
    name: 'completion',
    summary: 'Print a script that completes commands, flags and values in your shell.',
    operands: [operand],
    options: {},
    examples: ['gatelodge completion bash > ~/.local/share/bash-completion/completions/gatelodge'],
    async run({ commands, operands }) {
      const shell = shells.find((name) => name === operands[operand])
      if (!shell) throw usageError(`Usage: gatelodge completion ${operand}`)

      const script = completionScript(shell, commands)
      return { json: { shell, script }, text: script }
    },
  }),
]
