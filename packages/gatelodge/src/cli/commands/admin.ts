import { userToWire } from '../../http/wire.ts'
import { type FieldFault, isAuthError } from '../../kernel/errors.ts'
import { type CommandContext, command } from '../command.ts'
import { withDeps } from '../deps.ts'
import { usageError } from '../parse.ts'
import { askNewPassword, passwordOption, readPassword } from './passwords.ts'

export const adminCommands = [
  command({
    name: 'admin create',
    summary: 'Create an administrator, or promote the account that has the email address.',
    operands: [],
    options: {
      email: {
        value: 'EMAIL',
        doc: 'The email address, which counts as verified. On a terminal, the command asks for it.',
      },
      'password-stdin': passwordOption,
    },
    examples: [
      'gatelodge admin create',
      'gatelodge admin create --email ada@example.com --password-stdin < password.txt',
    ],
    async run(context) {
      const { io, options } = context
      const email = options.email ?? (await askEmail(context))
      const password = options['password-stdin'] ? await readPassword(io) : undefined
      const { createAdministrator } = await import('../../admin/users/create-user.ts')
      const { user, isNew } = await withDeps(context, async (deps, actor) => {
        try {
          return await createAdministrator(deps, actor, { email, password })
        } catch (error) {
          if (!needsPassword(error)) throw error
          return createAdministrator(deps, actor, { email, password: await askNewPassword(context) })
        }
      })
      return {
        json: { user: userToWire(user), created: isNew },
        text: isNew
          ? `Created the administrator ${user.email} (${user.id}).`
          : `${user.email} (${user.id}) is an administrator; the password is unchanged.`,
      }
    },
  }),
]

/** @throws command_invalid if there is no terminal, or nothing is entered */
async function askEmail({ io, json }: Pick<CommandContext, 'io' | 'json'>): Promise<string> {
  const email = json ? undefined : await io.ask?.('Email address: ', false)
  if (!email) throw usageError('--email is required. Usage: gatelodge admin create --email EMAIL --password-stdin')
  return email
}

/** Returns whether there is no account to promote, so that only a password is missing. */
function needsPassword(error: unknown): boolean {
  return isAuthError(error, 'input_invalid') && error.faults.some(isMissingPassword)
}

function isMissingPassword({ field, code }: FieldFault): boolean {
  return field === 'password' && code === 'required'
}
