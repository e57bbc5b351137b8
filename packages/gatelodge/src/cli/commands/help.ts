import { command } from '../command.ts'
import { help } from '../help.ts'
import { commandsNamed } from '../parse.ts'

export const helpCommands = [
  command({
    name: 'help',
    summary: 'Show the usage of all commands, of a group or of one command.',
    operands: ['[COMMAND]', '[SUBCOMMAND]'],
    options: {},
    examples: ['gatelodge help', 'gatelodge help user', 'gatelodge help user create'],
    async run({ commands, operands, paint }) {
      const words = [operands['[COMMAND]'], operands['[SUBCOMMAND]']].filter((word) => word !== '')
      return help(commandsNamed(words, commands), commands, paint)
    },
  }),
]
