import pg from 'pg'
import { startPostgres } from '../packages/gatelodge/test/support/postgres-server.ts'

/**
 * Measures how many transactions with a NOTIFY PostgreSQL commits per second, compared with the same transactions without: `node bench/notices.ts`. A NOTIFY
 * takes a lock on the whole server from just before the commit until it is on disk, so such commits are serialised. The disk is that of the temporary folder.
 */
const connections = 16
const seconds = 4
const postgres = await startPostgres({ durable: true })
const clients = await Promise.all(
  Array.from({ length: connections }, async () => {
    const client = new pg.Client({ connectionString: postgres.url })
    await client.connect()
    return client
  }),
)
await clients[0]?.query('create table counters (id integer primary key, count integer not null)')
await clients[0]?.query(`insert into counters select n, 0 from generate_series(0, ${connections - 1}) n`)

for (const round of [1, 2]) {
  console.log(`round ${round}: ${await rate('')} commits/s without a notice`)
  console.log(`round ${round}: ${await rate("; select pg_notify('gatelodge', 'x')")} commits/s with one`)
}
await Promise.all(clients.map((client) => client.end()))
await postgres.stop()

/** Measures the rate. Every connection updates a row of its own, so none waits for a row. */
async function rate(more: string): Promise<number> {
  const end = performance.now() + seconds * 1_000
  const counts = await Promise.all(
    clients.map(async (client, id) => {
      let commits = 0
      for (; performance.now() < end; commits += 1)
        await client.query(`begin; update counters set count = count + 1 where id = ${id}${more}; commit`)
      return commits
    }),
  )
  return Math.round(counts.reduce((sum, count) => sum + count, 0) / seconds)
}
