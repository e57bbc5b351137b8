import type { Config } from '../config.ts'
import type { Log } from '../kernel/log.ts'
import type { UnitDeps } from '../store/unit-of-work.ts'
import type { AccessTokens } from './access-tokens.ts'
import type { Accounts } from './accounts.ts'
import type { ApiTokens } from './api-tokens.ts'
import type { AvatarRenderer } from './avatars/render.ts'
import type { AvatarStorage } from './avatars/storage.ts'
import type { Cached } from './cached.ts'
import type { LimitsInFlight } from './limits.ts'
import type { DevelopmentMailbox } from './mailbox.ts'
import type { Hasher } from './passwords/hasher.ts'
import type { ServiceClients } from './service-clients.ts'
import type { SessionCache } from './session-cache.ts'
import type { Theme } from './theme.ts'
import type { UntrustedPeers } from './untrusted-peers.ts'

/** What operations use beyond their arguments: everything that leaves the process, and the caches in front of it. */
export interface Deps extends UnitDeps {
  readonly config: Config
  readonly hasher: Hasher
  readonly log: Log
  readonly accounts: Accounts
  readonly accessTokens: AccessTokens
  readonly sessionCache: SessionCache
  readonly apiTokens: ApiTokens
  readonly serviceClients: Cached<ServiceClients>
  readonly limitsInFlight: LimitsInFlight
  readonly untrustedPeers: UntrustedPeers
  readonly avatarRenderer: AvatarRenderer
  readonly avatarStorage: AvatarStorage
  readonly theme: Theme
  /** Aborted when the server begins to stop, so that load balancers stop sending requests. */
  readonly stopping: AbortSignal
  /** Null if a mail server is configured. */
  readonly mailbox: DevelopmentMailbox | null
}
