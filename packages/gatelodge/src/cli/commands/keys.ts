import type { ListedKey } from '../../admin/keys/manage-keys.ts'
import { toIso } from '../../kernel/clock.ts'
import { command } from '../command.ts'
import { withDeps } from '../deps.ts'
import { tableOf, wideOption } from '../table.ts'

export const keyCommands = [
  command({
    name: 'keys list',
    summary: 'List the keys that sign and verify access tokens.',
    operands: [],
    options: { wide: wideOption },
    examples: ['gatelodge keys list'],
    async run(context) {
      const { listKeys } = await import('../../admin/keys/manage-keys.ts')
      return printed(await withDeps(context, listKeys), context.options)
    },
  }),

  command({
    name: 'keys rotate',
    summary: 'Publish the next signing key, which starts to sign an hour later; no user is signed out.',
    operands: [],
    options: {
      wide: wideOption,
      compromised: {
        doc: 'For a leaked key: a new key signs immediately, all others are withdrawn, and clients have to refresh every access token.',
      },
    },
    examples: ['gatelodge keys rotate', 'gatelodge keys rotate --compromised'],
    async run(context) {
      const { rotateKeys } = await import('../../admin/keys/manage-keys.ts')
      const { compromised } = context.options
      return printed(
        await withDeps(context, (deps, actor) => rotateKeys(deps, actor, { compromised })),
        context.options,
      )
    },
  }),
]

function printed(keys: readonly ListedKey[], options: { readonly wide: boolean }) {
  const listed = keys.map(({ kid, alg, state, createdAt, activatesAt, retiresAt }) => ({
    kid,
    alg,
    state,
    created_at: toIso(createdAt),
    signs_from: toIso(Math.max(activatesAt, createdAt)),
    published_until: retiresAt === null ? null : toIso(retiresAt),
  }))
  const table = tableOf(options)
  const rows = keys.map(({ kid, alg, state, createdAt, activatesAt, retiresAt }) => [
    kid,
    alg,
    state,
    table.time(Math.max(activatesAt, createdAt)),
    retiresAt === null ? '-' : table.time(retiresAt),
  ])
  const head = ['KID', 'ALG', 'STATE', 'SIGNS FROM', 'PUBLISHED UNTIL']
  return { json: { keys: listed }, text: table.print(head, rows, 'No signing keys.') }
}
