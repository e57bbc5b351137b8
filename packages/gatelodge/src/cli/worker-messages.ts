import type { Listen } from '../config.ts'
import type { MetricFigures } from '../http/metrics.ts'
import type { ErrorCode, FieldFault } from '../kernel/errors.ts'
import type { LoadedConfig } from './command.ts'

/** Messages from the primary to a worker. */
export type ToWorker =
  | { readonly kind: 'serve'; readonly loaded: LoadedConfig }
  | { readonly kind: 'stop' }
  | { readonly kind: 'metrics'; readonly question: number }

/** Messages from a worker to the primary. */
export type FromWorker =
  | { readonly kind: 'ready'; readonly address: Listen }
  | { readonly kind: 'failed'; readonly reason: FailedStart }
  | { readonly kind: 'metrics'; readonly question: number; readonly figures: MetricFigures }

/** Why a worker could not start, as the primary reports it to the operator. */
export interface FailedStart {
  readonly code: ErrorCode | null
  readonly detail: string
  readonly faults: readonly FieldFault[]
}
