import { second } from '../kernel/clock.ts'
import type { Route } from './route.ts'

/** Measures response times without prom-client's histogram, which hashes the labels of every observation: that would cost a fiftieth of a session check. */
export interface RequestTimes {
  /** Counts a response that took `took` ms. Without a route, none matched the path and method. */
  add(route: Route | undefined, status: number, took: number): void
  /** Returns the histogram in the form that prom-client prints and adds up. */
  values(): readonly RequestValue[]
}

interface RequestValue {
  readonly metricName: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

/** Upper bounds of the buckets, in ms. The last bucket is unbounded. */
const bounds = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, Number.POSITIVE_INFINITY]
const classes = ['1xx', '2xx', '3xx', '4xx', '5xx']

/** The responses of one route and one class of statuses. */
interface Cell {
  readonly counts: number[]
  sum: number
}

/** Creates a histogram by method, route template and status class. */
export function createRequestTimes(name: string): RequestTimes {
  const cells = new Map<Route | undefined, (Cell | undefined)[]>()

  return {
    add(route, status, took) {
      let ofRoute = cells.get(route)
      if (!ofRoute) {
        ofRoute = classes.map(() => undefined)
        cells.set(route, ofRoute)
      }
      const index = Math.floor(status / 100) - 1
      ofRoute[index] ??= { counts: bounds.map(() => 0), sum: 0 }
      const cell = ofRoute[index]
      let bound = 0
      while (took > Number(bounds[bound])) bound += 1
      cell.counts[bound] = Number(cell.counts[bound]) + 1
      cell.sum += took
    },
    values: () =>
      [...cells].flatMap(([route, ofRoute]) =>
        classes.flatMap((status, index) => {
          const cell = ofRoute[index]
          const labels = { method: route?.method ?? 'any', route: route?.path ?? 'none', status }
          return cell ? valuesOf(name, labels, cell) : []
        }),
      ),
  }
}

function valuesOf(name: string, labels: Readonly<Record<string, string>>, { counts, sum }: Cell): RequestValue[] {
  let count = 0
  const buckets = bounds.map((bound, index) => {
    count += Number(counts[index])
    const le = bound === Number.POSITIVE_INFINITY ? '+Inf' : bound / second
    return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum / second },
    { metricName: `${name}_count`, labels, value: count },
  ]
}
