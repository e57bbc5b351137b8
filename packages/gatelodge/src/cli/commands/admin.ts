import { userToWire } from '../../http/wire.ts'
import { command } from '../command.ts'
import { withDeps } from '../deps.ts'
import { passwordOption, readPassword } from './passwords.ts'

export const adminCommands = [
  command({
    name: 'admin create',
    summary: 'Make an administrator, or promote the account that has the address.',
    operands: [],
    options: {
      email: { value: 'EMAIL', required: true, doc: 'The address; it counts as proved.' },
      'password-stdin': passwordOption,
    },
    async run(context) {
      const { io, options } = context
      const password = options['password-stdin'] ? await readPassword(io) : undefined
      const { createAdministrator } = await import('../../admin/users/create-user.ts')
      const { user, isNew } = await withDeps(context, (deps, actor) =>
        createAdministrator(deps, actor, { email: options.email, password }),
      )
      return {
        json: { user: userToWire(user), created: isNew },
        text: isNew
          ? `Made the administrator ${user.email} (${user.id}).`
          : `${user.email} (${user.id}) is an administrator; the password stays as it was.`,
      }
    },
  }),
]
