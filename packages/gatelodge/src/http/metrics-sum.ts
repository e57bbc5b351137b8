import { AggregatorRegistry } from 'prom-client'
import type { MetricFigures } from './metrics.ts'

/** The combined figures of several processes. */
export interface MetricsSum {
  /** Replaces a process's figures with its current ones. */
  add(process: number, figures: MetricFigures): void
  /** Marks a process as ended. Its counts stay, because sums that drop would look like a restart. */
  left(process: number): Promise<void>
  text(): Promise<string>
}

/** Creates the sum of what createMetrics counts in each process. */
export function createMetricsSum(): MetricsSum {
  const latest = new Map<number, MetricFigures>()
  let departed: MetricFigures = []

  return {
    add: (process, figures) => void latest.set(process, figures),
    async left(process) {
      const counted = latest.get(process)?.filter(({ type }) => countingTypes.has(String(type))) ?? []
      latest.delete(process)
      departed = await AggregatorRegistry.aggregate([departed, counted]).getMetricsAsJSON()
    },
    text: () => AggregatorRegistry.aggregate([...latest.values(), departed]).metrics(),
  }
}

const countingTypes: ReadonlySet<string> = new Set(['counter', 'histogram'])
