import type { Deps } from '../../domain/deps.ts'
import { exportDataOf, type OwnData } from '../../flows/account-data/own-data.ts'
import type { Actor } from '../../kernel/actor.ts'
import { getRowNamed } from './find-users.ts'

/** Returns everything stored about a user, except secrets and their hashes. @throws user_not_found */
export async function exportAccount(deps: Deps, actor: Actor, input: { who: string }): Promise<OwnData> {
  return exportDataOf(deps, actor, await getRowNamed(deps, input.who))
}
