import { userToWire } from '../../http/wire.ts'
import { command } from '../command.ts'
import { withDeps } from '../deps.ts'
import { passwordOption, readPassword } from './passwords.ts'

export const adminCommands = [
  command({
    name: 'admin create',
    summary: 'Create an administrator, or promote the account that has the email address.',
    operands: [],
    options: {
      email: { value: 'EMAIL', required: true, doc: 'The email address, which counts as verified.' },
      'password-stdin': passwordOption,
    },
    examples: ['gatelodge admin create --email ada@example.com --password-stdin < password.txt'],
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
          ? `Created the administrator ${user.email} (${user.id}).`
          : `${user.email} (${user.id}) is an administrator; the password is unchanged.`,
      }
    },
  }),
]
