/** Schedules work: connections that send one request at a time in the next turn of the event loop, the others a few at a time. */
export interface Turns {
  next(work: () => void, lane: Lane): void
  /** Counts a request of a connection that asks ahead as under way until `answered` settles. */
  during(answered: Promise<void>): void
}

/** `body`: more of a request's body. `ahead`: from a connection that sends more requests before it has its answers. */
export type Lane = 'modest' | 'body' | 'ahead'

/** Requests of connections that ask ahead: how many are under way at the same time, and how many start per turn. Also the number of body reads per turn. */
const most = 8

/** Creates the turns of all connections of one server. */
export function createTurns(): Turns {
  let modest: (() => void)[] = []
  const bodies: (() => void)[] = []
  const ahead: (() => void)[] = []
  let underWay = 0
  let isDue = false

  function run(): void {
    isDue = false
    const works = [...modest, ...bodies.splice(0, most), ...ahead.splice(0, Math.max(0, most - underWay))]
    modest = []
    for (const work of works) work()
    plan()
  }

  function plan(): void {
    const isAnyDue = modest.length > 0 || bodies.length > 0 || (ahead.length > 0 && underWay < most)
    if (isDue || !isAnyDue) return

    isDue = true
    setImmediate(run)
  }

  return {
    next(work, lane) {
      if (lane === 'modest') modest.push(work)
      else if (lane === 'body') bodies.push(work)
      else ahead.push(work)
      plan()
    },

    during(answered) {
      underWay += 1
      void answered.finally(() => {
        underWay -= 1
        plan()
      })
    },
  }
}
