import { AggregatorRegistry } from 'prom-client'
import type { MetricFigures } from './metrics.ts'

/** The figures of several processes as one. */
export interface MetricsSum {
  /** What a process says of itself now. */
  add(process: number, figures: MetricFigures): void
  /** A process ended: what it counted stays, or the sums would fall and look as if all had begun anew. */
  left(process: number): Promise<void>
  text(): Promise<string>
}

/** Adds up what createMetrics counts in each process. */
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
