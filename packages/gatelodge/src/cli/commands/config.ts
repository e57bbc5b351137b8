import { command } from '../command.ts'
import { loadConfig } from '../deps.ts'
import { tableOf, wideOption } from '../table.ts'

export const configCommands = [
  command({
    name: 'config',
    summary: 'Print the current value of every setting and its source, with passwords and other secrets masked.',
    operands: [],
    options: { wide: wideOption },
    examples: ['gatelodge config', 'gatelodge config --config gatelodge.json'],
    async run(context) {
      const { effective, warnings } = loadConfig(context)
      const settings = effective.map(({ env, value, source }) => ({ name: env, value, source }))
      const rows = settings.map(({ name, value, source }) => [name, value || '-', source])
      const loud = warnings.map((warning) => `\n${context.paint('yellow', 'Warning:')} ${warning}`)
      return {
        json: { settings, warnings },
        text: `${tableOf(context.options).print(['SETTING', 'VALUE', 'SOURCE'], rows, '')}${loud.length > 0 ? '\n' : ''}${loud.join('')}`,
      }
    },
  }),
]
