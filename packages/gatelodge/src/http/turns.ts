/** Decides who goes on when: those who ask for one thing at a time in the next turn of the event loop, the greedy a few at a time. */
export interface Turns {
  /** Work of a connection; it is greedy when it asks for more before it has its answers. */
  next(work: () => void, isGreedy: boolean): void
  /** A request of a greedy connection is under way until `answered` is settled. */
  during(answered: Promise<void>): void
}

/** Requests of greedy connections that are under way at once, and that are begun in one turn. */
const most = 8

/** The turns of all connections of one server. */
export function createTurns(): Turns {
  let modest: (() => void)[] = []
  const greedy: (() => void)[] = []
  let underWay = 0
  let isDue = false

  function run(): void {
    isDue = false
    const works = modest
    modest = []
    for (const work of works) work()
    for (let free = most - underWay; free > 0; free -= 1) greedy.shift()?.()
    plan()
  }

  function plan(): void {
    if (isDue || (modest.length === 0 && (greedy.length === 0 || underWay >= most))) return

    isDue = true
    setImmediate(run)
  }

  return {
    next(work, isGreedy) {
      if (isGreedy) greedy.push(work)
      else modest.push(work)
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
