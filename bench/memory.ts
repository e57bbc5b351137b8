import type { Request } from 'autocannon'
import { type Bench, introspectionOf, requestsOf, run } from './measure.ts'
import { residentMb } from './processes.ts'
import { progress } from './progress.ts'

/** Resident memory of the server in MB: before its first request, and in the middle and at the end of mixed ones. */
export interface MemoryFigures {
  readonly idleMb: number
  readonly halfMb: number
  readonly loadedMb: number
}

const connections = 32

/** Sends `amount` requests of all kinds to a server that has answered none yet, and looks at its memory. */
export async function measureMemory(bench: Bench, amount: number): Promise<MemoryFigures> {
  const { gatelodge } = bench
  const requests = mix(bench)
  const send = (part: string) => {
    progress.say(`mixed requests: ${part} half of ${amount.toLocaleString('en')}`)
    return run(bench, [{ url: gatelodge.url, connections, amount: amount / 2, requests }])
  }
  const idleMb = residentMb(gatelodge)
  await send('first')
  const halfMb = residentMb(gatelodge)
  await send('second')
  return { idleMb, halfMb, loadedMb: residentMb(gatelodge) }
}

/** Two session checks by cookie, cycling through all sessions, for each request of another kind; one in fifty of those needs a hash, an email or a token. */
function mix({ seeded }: Bench): Request[] {
  const { cookieChecks, bearerCheck, signInPage, signIns, forgottenPasswords, serviceToken } = requestsOf(seeded)
  const others = (count: number, kinds: readonly Request[]) =>
    Array.from({ length: count }, (_, index) => kinds[index % kinds.length] ?? signInPage)
  const all = [
    ...cookieChecks,
    ...others(4_000, [bearerCheck]),
    ...others(3_000, [introspectionOf(seeded.client, seeded.accessToken)]),
    ...others(2_800, [signInPage]),
    ...others(80, signIns),
    ...others(60, forgottenPasswords),
    ...others(60, [serviceToken]),
  ]
  const stride = 7_919 // a prime that does not divide the length: every request once, the kinds side by side
  return all.map((_, index) => all[(index * stride) % all.length] ?? signInPage)
}
