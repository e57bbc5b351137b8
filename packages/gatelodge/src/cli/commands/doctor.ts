import { command } from '../command.ts'
import { examine } from '../doctor/examine.ts'
import { glossary } from '../text.ts'

const colours = { ok: 'green', warn: 'yellow', fail: 'red' } as const

export const doctorCommands = [
  command({
    name: 'doctor',
    summary: 'Check settings, database, secret, mail, clock and permissions for problems.',
    operands: [],
    options: {},
    examples: ['gatelodge doctor'],
    async run(context) {
      const findings = await examine(context)
      const failed = findings.some(({ status }) => status === 'fail')
      const { paint } = context
      const rows = findings.map(({ status, check, says }) => [
        paint(colours[status], status.toUpperCase()),
        check,
        says,
      ])
      const advice = findings.flatMap(({ check, advice }) => (advice === undefined ? [] : `  ${check}: ${advice}`))
      const todo = advice.length > 0 ? `\n\nWhat to do:\n${advice.join('\n')}` : ''
      return {
        json: { ok: !failed, checks: findings.map(({ advice = null, ...finding }) => ({ ...finding, advice })) },
        text: `${glossary(rows)}${todo}`,
        failed,
      }
    },
  }),
]
