import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** What a stranger asks for at once. */
export interface Flood {
  readonly port: number
  /** One request as it is sent. */
  readonly request: string
  readonly connections: number
  /** Requests that each connection writes. */
  readonly deep: number
  readonly reads: boolean
  /** After this the connections are left, in ms; a flood that reads ends sooner when it has all answers. */
  readonly ms: number
}

/** What came of it. */
export interface Flooded {
  /** Answers that were begun. */
  readonly answers: number
}

const answer = Buffer.from('HTTP/1.1 ')

/** A program of its own, so that the client whose time is measured shares nothing with the flood but the server. */
process.on('message', (flood: Flood) => void run(flood).then((flooded) => process.send?.(flooded)))

async function run({ port, request, connections, deep, reads, ms }: Flood): Promise<Flooded> {
  const bytes = Buffer.from(request.repeat(deep))
  let answers = 0
  let ended = 0
  const all = Promise.withResolvers<void>()
  const onAnswer = () => {
    answers += 1
    if (answers === connections * deep) all.resolve()
  }
  const sockets = Array.from({ length: connections }, () => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.once('close', () => {
      ended += 1
      if (ended === connections) all.resolve()
    })
    if (reads) count(socket, onAnswer)
    else socket.pause()
    socket.write(bytes)
    return socket
  })
  await Promise.race([all.promise, pause(ms, undefined, { ref: false })])
  for (const socket of sockets) socket.destroy()
  return { answers }
}

/** Counts the heads of answers, one that is cut in two as well. */
function count(socket: Socket, onAnswer: () => void): void {
  let before = Buffer.alloc(0)
  socket.on('data', (part: Buffer) => {
    const whole = Buffer.concat([before, part])
    let at = whole.indexOf(answer)
    while (at >= 0) {
      onAnswer()
      at = whole.indexOf(answer, at + answer.length)
    }
    before = whole.subarray(Math.max(0, whole.length - answer.length + 1))
  })
}
