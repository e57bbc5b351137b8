import type { Deps } from '../../domain/deps.ts'
import {
  createServiceClient,
  readServiceClients,
  revokeServiceClient,
  type ServiceClient,
} from '../../domain/service-clients.ts'
import type { Actor } from '../../kernel/actor.ts'
import { transact } from '../../store/unit-of-work.ts'

/** Makes a client for a service; its secret is shown once. @throws input_invalid for a bad or taken name, or a bad scope */
export function createClient(
  deps: Deps,
  actor: Actor,
  input: { name: string; scopes: readonly string[] },
): Promise<{ client: ServiceClient; secret: string }> {
  return transact(deps, actor, (work) => createServiceClient(work, input))
}

/** Every service client, by name. */
export async function listClients(deps: Deps, _actor: Actor): Promise<ServiceClient[]> {
  const clients = await readServiceClients(deps.store.db)
  return [...clients.values()].map(({ secretHash: _, ...client }) => client)
}

/** Removes the client of that id or name; its secret and its tokens are refused from the next request on. @throws not_found */
export function revokeClient(deps: Deps, actor: Actor, input: { who: string }): Promise<ServiceClient> {
  return transact(deps, actor, (work) => revokeServiceClient(work, input.who))
}
