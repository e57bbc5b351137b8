import type { Output } from '../output/output.ts'
import type { Ask } from './prompt.ts'

/** Everything that the command line uses of its process. Tests bring their own. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The working directory, to which relative paths refer. */
  readonly cwd: string
  /** Returns monotonic time in ms. */
  readonly now: () => number
  /** Reads standard input to its end. */
  readonly stdin: () => Promise<string>
  /** Asks the user. Absent unless standard input and standard error are terminals, so that a script never waits for an answer. */
  readonly ask?: Ask
  readonly stdout: Output
  readonly stderr: Output
  /** Which outputs are terminals, not files or pipes. */
  readonly isTerminal: Readonly<Record<'stdout' | 'stderr', boolean>>
  /**
   * From then on, an output that is not read or cannot be written loses lines instead of ending the process; the listener is called when writing succeeds
   * again. For servers. Absent where outputs cannot fail.
   */
  readonly outliveReaders?: (onDropped: (stream: 'stdout' | 'stderr', lines: number) => void) => void
  /** Reads a text file. Throws if it cannot be read. */
  readonly readFile: (path: string) => string
  /** Calls the listener for each signal to stop. */
  readonly onSignal: (listener: () => void) => void
  /** Calls the listener with an uncaught error. */
  readonly onCrash: (listener: (error: unknown) => void) => void
  /** Exits the process immediately. */
  readonly exit: (status: number) => void
}
