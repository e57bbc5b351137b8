import { AuthError } from '../kernel/errors.ts'
import { createLog } from '../output/log.ts'
import { lossyOutput } from '../output/lossy-output.ts'
import type { LoadedConfig } from './command.ts'
import { serveUntilStopped } from './serving.ts'
import { reasonOf } from './text.ts'
import type { FailedStart, FromWorker, ToWorker } from './worker-messages.ts'

// The program of a worker process, started by workers.ts. It follows the primary's messages and exits with it.

const stopped = Promise.withResolvers<void>()
let tellFigures = async (_question: number): Promise<void> => {}

// Terminals and service managers signal the whole process group. The primary decides what a signal means.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
process.on('disconnect', () => process.exit(1))
process.on('message', (message: ToWorker) => {
  if (message.kind === 'serve') void serve(message.loaded)
  if (message.kind === 'stop') stopped.resolve()
  if (message.kind === 'metrics') void tellFigures(message.question)
})

async function serve(loaded: LoadedConfig): Promise<void> {
  const log = await createLog(
    lossyOutput(2, (lines) =>
      log.warn({ lines }, 'log lines were dropped because the primary process did not read them'),
    ),
    loaded.config.logLevel,
    { worker: process.pid },
  )
  process.on('uncaughtException', (err) => {
    log.error({ err }, 'uncaught error; the worker exits')
    process.exit(1)
  })

  try {
    await serveUntilStopped({
      loaded,
      log,
      stopped: stopped.promise,
      onStopping() {},
      async onStarted({ address, composition: { metrics } }) {
        tellFigures = async (question) => {
          if (metrics) await say({ kind: 'metrics', question, figures: await metrics.figures() })
        }
        await say({ kind: 'ready', address })
      },
    })
    process.exit(0)
  } catch (error) {
    if (!(error instanceof AuthError)) log.error({ err: error }, 'the worker could not serve')
    await say({ kind: 'failed', reason: toReason(error) })
    process.exit(1)
  }
}

function toReason(error: unknown): FailedStart {
  if (error instanceof AuthError) return { code: error.code, detail: reasonOf(error), faults: error.faults }
  return { code: null, detail: error instanceof Error ? error.message : 'Something went wrong', faults: [] }
}

/** Resolves once the message has been sent, so that the process may exit. */
function say(message: FromWorker): Promise<void> {
  return new Promise((resolve) => process.send?.(message, undefined, undefined, () => resolve()))
}
