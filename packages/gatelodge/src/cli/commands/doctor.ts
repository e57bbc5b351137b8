import { command } from '../command.ts'
import { examine } from '../doctor/examine.ts'
import { columns } from '../text.ts'

export const doctorCommands = [
  command({
    name: 'doctor',
    summary: 'Check settings, database, secret, mail, clock and permissions for problems.',
    operands: [],
    options: {},
    async run(context) {
      const findings = await examine(context)
      const failed = findings.some(({ status }) => status === 'fail')
      const rows = findings.map(({ status, check, says }) => [status.toUpperCase(), check, says])
      const advice = findings.flatMap(({ check, advice }) => (advice === undefined ? [] : `  ${check}: ${advice}`))
      const todo = advice.length > 0 ? `\n\nWhat to do:\n${advice.join('\n')}` : ''
      return {
        json: { ok: !failed, checks: findings.map(({ advice = null, ...finding }) => ({ ...finding, advice })) },
        text: `${columns(rows)}${todo}`,
        failed,
      }
    },
  }),
]
