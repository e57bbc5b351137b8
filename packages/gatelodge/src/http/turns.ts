/** Decides who goes on when: those who ask for one thing at a time in the next turn of the event loop, the others a few at a time. */
export interface Turns {
  next(work: () => void, lane: Lane): void
  /** A request of a connection that asks ahead is under way until `answered` is settled. */
  during(answered: Promise<void>): void
}

/** `body`: more of the body of a request. `ahead`: of a connection that asks for more before it has its answers. */
export type Lane = 'modest' | 'body' | 'ahead'

/** Requests of connections that ask ahead that are under way at once; of these and of bodies, what goes on in one turn. */
const most = 8

/** The turns of all connections of one server. */
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
