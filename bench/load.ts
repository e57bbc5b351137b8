import autocannon, { type Request } from 'autocannon'

/** Requests that connections send in turns until the time is over, or until so many were answered. */
export type Job = JobOf<'seconds'> | JobOf<'amount'>

type JobOf<Size extends string> = Readonly<Record<Size, number>> & {
  readonly url: string
  readonly connections: number
  /** Shared out among the connections, so that all of them are sent. */
  readonly requests: readonly Request[]
}

export interface Load {
  /** Responses per second. */
  readonly rate: number
  readonly answers: number
  /** In ms. */
  readonly p50: number
  /** In ms. */
  readonly p99: number
  /** Responses other than 2xx, and failed connections. */
  readonly failures: number
}

// The second process: receives jobs, runs them concurrently and returns the result of each.
process.on('message', async (jobs: readonly Job[]) => process.send?.(await Promise.all(jobs.map(run))))
process.on('disconnect', () => process.exit())
process.send?.('ready')

async function run({ url, connections, requests, ...size }: Job): Promise<Load> {
  let next = 0
  const share = Math.max(1, Math.floor(requests.length / connections))
  const start = performance.now()
  const result = await autocannon({
    url,
    connections,
    ...('amount' in size ? { amount: size.amount } : { duration: size.seconds }),
    setupClient(client) {
      client.setRequests(requests.slice(next, next + share))
      next = (next + share) % requests.length
    },
  })
  const elapsed = (performance.now() - start) / 1000
  const answers = result['2xx']
  return {
    rate: answers / elapsed,
    answers,
    p50: result.latency.p50,
    p99: result.latency.p99,
    failures: result.non2xx + result.errors + result.timeouts,
  }
}
