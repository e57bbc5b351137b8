import type { Deps } from '../../domain/deps.ts'
import {
  createServiceClient,
  readServiceClients,
  revokeServiceClient,
  type ServiceClient,
} from '../../domain/service-clients.ts'
import type { Actor } from '../../kernel/actor.ts'
import { transact } from '../../store/unit-of-work.ts'

/** Creates a client for a service. Its secret is shown only here. @throws input_invalid for an invalid or taken name, or an invalid scope */
export function createClient(
  deps: Deps,
  actor: Actor,
  input: { name: string; scopes: readonly string[] },
): Promise<{ client: ServiceClient; secret: string }> {
  return transact(deps, actor, (work) => createServiceClient(work, input))
}

/** Returns all service clients, sorted by name. */
export async function listClients(deps: Deps, _actor: Actor): Promise<ServiceClient[]> {
  const clients = await readServiceClients(deps.store.db)
  return [...clients.values()].map(({ secretHash: _, ...client }) => client)
}

/** Deletes the client with this id or name. Its secret and tokens are rejected from the next request on. @throws not_found */
export function revokeClient(deps: Deps, actor: Actor, input: { who: string }): Promise<ServiceClient> {
  return transact(deps, actor, (work) => revokeServiceClient(work, input.who))
}
