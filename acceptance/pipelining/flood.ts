import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** The pipelined requests of one attacker. */
export interface Flood {
  readonly port: number
  /** One request as it is sent. */
  readonly request: string
  readonly connections: number
  /** The number of requests that each connection writes. */
  readonly deep: number
  readonly reads: boolean
  /** When the connections are abandoned, in ms. A flood that reads ends sooner if it has all answers. */
  readonly ms: number
}

/** The outcome. */
export interface Flooded {
  /** The number of answers that were begun. */
  readonly answers: number
}

const answer = Buffer.from('HTTP/1.1 ')

/** A separate program, so that the measured client shares nothing with the flood except the server. */
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

/** Counts the heads of answers, including heads split between two reads. */
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
