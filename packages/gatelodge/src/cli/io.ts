import type { Output } from '../output/output.ts'

/** Everything that the command line touches of its process; tests bring their own. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Relative paths are meant from here. */
  readonly cwd: string
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** All of standard input. */
  readonly stdin: () => Promise<string>
  readonly stdout: Output
  readonly stderr: Output
  /**
   * From now on outputs that are not read, or cannot be written, lose lines and end nothing; the listener hears of it when lines pass again. For servers.
   * Absent where outputs cannot fail.
   */
  readonly outliveReaders?: (onDropped: (stream: 'stdout' | 'stderr', lines: number) => void) => void
  /** The text of a file; throws when it cannot be read. */
  readonly readFile: (path: string) => string
  /** Calls the listener at each request to stop. */
  readonly onSignal: (listener: () => void) => void
  /** Calls the listener with an error that nobody caught. */
  readonly onCrash: (listener: (error: unknown) => void) => void
  /** Ends the process at once. */
  readonly exit: (status: number) => void
}
