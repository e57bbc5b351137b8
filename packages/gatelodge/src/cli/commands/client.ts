import { scopesOf } from '../../domain/scopes.ts'
import type { ServiceClient } from '../../domain/service-clients.ts'
import { toIso } from '../../kernel/clock.ts'
import { AuthError, isAuthError } from '../../kernel/errors.ts'
import { command } from '../command.ts'
import { withDeps } from '../deps.ts'
import { tableOf, wideOption } from '../table.ts'

export const clientCommands = [
  command({
    name: 'client create',
    summary: 'Create a client for a service, and print its secret once.',
    operands: ['NAME'],
    options: {
      scope: {
        value: 'SCOPES',
        doc: 'The scopes that it may request, separated by spaces: "orders:read orders:write".',
      },
    },
    examples: ['gatelodge client create billing --scope "orders:read orders:write"'],
    async run(context) {
      const { NAME: name } = context.operands
      const { createClient } = await import('../../admin/service-clients/manage-clients.ts')
      const { client, secret } = await withDeps(context, (deps, actor) =>
        createClient(deps, actor, { name, scopes: scopesOf(context.options.scope ?? '') }),
      )
      return {
        json: { client_id: client.id, client_secret: secret, name: client.name, scopes: client.scopes },
        text: `Created the client ${client.name}. Save the secret now: it is not shown again.\n\n  client_id      ${client.id}\n  client_secret  ${secret}`,
      }
    },
  }),

  command({
    name: 'client list',
    summary: 'List the service clients.',
    operands: [],
    options: { wide: wideOption },
    examples: ['gatelodge client list'],
    async run(context) {
      const { listClients } = await import('../../admin/service-clients/manage-clients.ts')
      const clients = await withDeps(context, listClients)
      const table = tableOf(context.options)
      const rows = clients.map(({ id, name, createdAt, scopes }) => [
        id, // whole, since a client needs it in its settings
        name,
        table.time(createdAt),
        scopes.join(' ') || '-',
      ])
      return {
        json: { service_clients: clients.map(clientToWire) },
        text: table.print(['ID', 'NAME', 'CREATED', 'SCOPES'], rows, 'No service clients.'),
      }
    },
  }),

  command({
    name: 'client revoke',
    summary: 'Delete a service client; its secret and its tokens are rejected immediately.',
    operands: ['CLIENT'],
    options: {},
    examples: ['gatelodge client revoke billing'],
    async run(context) {
      const { CLIENT: who } = context.operands
      const { revokeClient } = await import('../../admin/service-clients/manage-clients.ts')
      const client = await withDeps(context, (deps, actor) => revokeClient(deps, actor, { who })).catch(
        (error: unknown) => {
          throw isAuthError(error, 'not_found')
            ? new AuthError('not_found', { detail: `Client not found: ${who}` })
            : error
        },
      )
      return { json: { revoked: clientToWire(client) }, text: `Revoked the client ${client.name} (${client.id}).` }
    },
  }),
]

function clientToWire({ id, name, scopes, createdAt }: ServiceClient) {
  return { client_id: id, name, scopes, created_at: toIso(createdAt) }
}
