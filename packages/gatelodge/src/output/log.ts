import type { Config } from '../config.ts'
import type { Log, LogFields } from '../kernel/log.ts'
import type { Output } from './output.ts'

/**
 * Creates a log of JSON lines. Errors are reduced to what helps an operator: type, message, code and stack, never the caller's input. Every line contains the
 * fields of `base`.
 */
export async function createLog(
  output: Pick<Output, 'write'>,
  level: Config['logLevel'],
  base: LogFields | null = null,
): Promise<Log> {
  const { pino, stdTimeFunctions } = await import('pino')
  const logger = pino(
    {
      level,
      base,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
    },
    output,
  )
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
  }
}

function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { type: typeof error }

  return {
    type: error.name,
    message: error.message,
    ...('code' in error && { code: error.code }),
    stack: error.stack,
    ...(error.cause instanceof Error && { cause: describeError(error.cause) }),
  }
}
