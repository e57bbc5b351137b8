import type { Deps } from '../../domain/deps.ts'
import type { User } from '../../domain/users.ts'
import { userToWire } from '../../http/wire.ts'
import type { Actor } from '../../kernel/actor.ts'
import { toIso } from '../../kernel/clock.ts'
import { AuthError, isAuthError } from '../../kernel/errors.ts'
import { type CommandContext, command, type Result } from '../command.ts'
import { type Reach, withDeps } from '../deps.ts'
import { usageError } from '../parse.ts'
import { tableOf, wideOption } from '../table.ts'
import { columns } from '../text.ts'
import { readLimit } from './limits.ts'
import { passwordOption, readPassword } from './passwords.ts'

const who = 'ID|EMAIL|USERNAME'

export const userCommands = [
  command({
    name: 'user create',
    summary: 'Create an account and mail its owner a link to confirm the email address.',
    operands: [],
    options: {
      email: { value: 'EMAIL', required: true, doc: 'The email address.' },
      username: { value: 'NAME', doc: 'The username.' },
      'first-name': { value: 'NAME', doc: 'The first name.' },
      'last-name': { value: 'NAME', doc: 'The last name.' },
      'password-stdin': passwordOption,
      'must-change-password': {
        doc: 'The password is an initial one: the user has to replace it at the first sign-in.',
      },
      invite: { doc: 'Set no password, and mail the user a link to choose one.' },
    },
    examples: [
      'gatelodge user create --email ada@example.com --first-name Ada --invite',
      'gatelodge user create --email ada@example.com --password-stdin --must-change-password < pw.txt',
    ],
    async run(context) {
      const { io, options } = context
      if (options['password-stdin'] === options.invite) throw usageError('Specify either --password-stdin or --invite')
      if (options.invite && options['must-change-password'])
        throw usageError('--must-change-password needs --password-stdin: an invited user chooses the password')

      const { createAccount } = await import('../../admin/users/create-user.ts')
      const password = options.invite ? undefined : await readPassword(io)
      const user = await withDeps(context, (deps, actor) =>
        createAccount(deps, actor, {
          email: options.email,
          username: options.username,
          firstName: options['first-name'],
          lastName: options['last-name'],
          password,
          mustChangePassword: options['must-change-password'],
        }),
      )
      const mail = options.invite ? 'an invitation to set a password' : 'a link to confirm the address'
      return about(user, `Created ${user.email} (${user.id}). The server sends ${mail}.`)
    },
  }),

  command({
    name: 'user list',
    summary: 'List accounts, newest first.',
    operands: [],
    options: {
      search: { value: 'TEXT', doc: 'Only accounts whose email address, username or name contains the text.' },
      limit: { value: 'NUMBER', doc: 'The maximum number of rows, up to 1000. Default: 50.' },
      wide: wideOption,
    },
    examples: ['gatelodge user list --search example.com --limit 100'],
    async run(context) {
      const limit = readLimit(context.options.limit)
      const { findUsers } = await import('../../admin/users/find-users.ts')
      const { users, more } = await withDeps(context, (deps, actor) =>
        findUsers(deps, actor, { search: context.options.search, limit }),
      )
      const table = tableOf(context.options)
      const rows = users.map((user) => [
        user.email,
        user.username ?? '-',
        user.fullname || '-',
        stateOf(user),
        table.time(user.createdAt),
        table.id(user.id),
      ])
      const head = ['EMAIL', 'USERNAME', 'NAME', 'STATE', 'CREATED', 'ID']
      const rest = more ? `\n(more than ${limit}: use --search or --limit)` : ''
      return { json: { users: users.map(userToWire), more }, text: table.print(head, rows, 'No accounts.') + rest }
    },
  }),

  command({
    name: 'user show',
    summary: 'Show one account.',
    operands: [who],
    options: {},
    examples: ['gatelodge user show ada@example.com'],
    async run(context) {
      const { getUserNamed } = await import('../../admin/users/find-users.ts')
      const user = await onUser(context, getUserNamed)
      return about(user, card(user))
    },
  }),

  command({
    name: 'user activate',
    summary: 'Activate an account, so that its user can sign in again.',
    operands: [who],
    options: {},
    examples: ['gatelodge user activate ada@example.com'],
    async run(context) {
      const { setActive } = await import('../../admin/users/set-active.ts')
      const user = await onUser(context, (deps, actor, who) => setActive(deps, actor, { who, active: true }))
      return about(user, `${user.email} is active.`)
    },
  }),

  command({
    name: 'user deactivate',
    summary: 'Deactivate an account: its sessions end, and its user can no longer sign in.',
    operands: [who],
    options: {},
    examples: ['gatelodge user deactivate ada@example.com'],
    async run(context) {
      const { setActive } = await import('../../admin/users/set-active.ts')
      const user = await onUser(context, (deps, actor, who) => setActive(deps, actor, { who, active: false }))
      return about(user, `${user.email} is inactive; its sessions have ended.`)
    },
  }),

  command({
    name: 'user reset-password',
    summary: 'Mail the user a password reset link; the password itself does not change.',
    operands: [who],
    options: {},
    examples: ['gatelodge user reset-password ada@example.com'],
    async run(context) {
      const { sendReset } = await import('../../admin/users/send-reset.ts')
      const user = await onUser(context, (deps, actor, who) => sendReset(deps, actor, { who }))
      return about(user, `The server mails a reset link to ${user.email}.`)
    },
  }),

  command({
    name: 'user export',
    summary: 'Print everything stored about a user, as JSON.',
    operands: [who],
    options: {},
    examples: ['gatelodge user export ada@example.com > ada.json'],
    async run(context) {
      const { exportAccount } = await import('../../admin/users/export-user.ts')
      const { ownDataToWire } = await import('../../flows/account-data/wire.ts')
      const data = await onUser(context, (deps, actor, who) => exportAccount(deps, actor, { who }))
      const json = ownDataToWire(data, null)
      return { json, text: JSON.stringify(json, null, 2) }
    },
  }),

  command({
    name: 'user delete',
    summary: 'Permanently delete an account and everything that belongs to it.',
    operands: [who],
    options: { yes: { doc: 'Confirm the deletion.' } },
    examples: ['gatelodge user delete ada@example.com --yes'],
    async run(context) {
      if (!context.options.yes) throw usageError('This cannot be undone. Pass --yes to confirm.')

      const { deleteAccount } = await import('../../admin/users/delete-user.ts')
      const user = await onUser(context, (deps, actor, who) => deleteAccount(deps, actor, { who }))
      return { json: { deleted: { id: user.id, email: user.email } }, text: `Deleted ${user.email} (${user.id}).` }
    },
  }),
]

/** Runs `work` on the user that the operator named. @throws user_not_found with that name */
async function onUser<T>(
  context: Reach & Pick<CommandContext<unknown, typeof who>, 'operands'>,
  work: (deps: Deps, actor: Actor, named: string) => Promise<T>,
): Promise<T> {
  const named = context.operands[who]
  try {
    return await withDeps(context, (deps, actor) => work(deps, actor, named))
  } catch (error) {
    throw isAuthError(error, 'user_not_found')
      ? new AuthError('user_not_found', { detail: `User not found: ${named}` })
      : error
  }
}

function about(user: User, text: string): Result {
  return { json: { user: userToWire(user) }, text }
}

function stateOf(user: User): string {
  const words = [
    user.isActive ? 'active' : 'inactive',
    user.recoverySince === null ? [] : 'in recovery',
    user.emailVerified ? [] : 'unverified',
    user.roles,
  ]
  return words.flat().join(', ')
}

function card(user: User): string {
  return columns([
    ['Email', user.email],
    ['ID', user.id],
    ['Username', user.username ?? '-'],
    ['Name', user.fullname || '-'],
    ['State', stateOf(user)],
    ...(user.recoverySince === null ? [] : [['In recovery since', toIso(user.recoverySince)] as const]),
    ['Created', toIso(user.createdAt)],
    ['Last sign-in', user.lastLoginAt === null ? 'never' : toIso(user.lastLoginAt)],
  ])
}
