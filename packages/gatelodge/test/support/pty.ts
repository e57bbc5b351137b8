import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { until } from './until.ts'

/** A shell command on a terminal of its own. */
export interface TerminalSession {
  /** Returns what the terminal has shown so far, without carriage returns. */
  shown(): string
  /** Waits until a text is shown that was not waited for before, then enters another. */
  answer(question: string, text: string): Promise<void>
  /** Waits for the end of the command, and returns its exit status. */
  ended(): Promise<number | null>
  [Symbol.dispose](): void
}

/** Runs a shell command on a terminal that `script` opens, which each Linux and macOS has. */
export function onTerminal(command: string, options: { cwd: string; env: NodeJS.ProcessEnv }): TerminalSession {
  const words =
    process.platform === 'darwin' ? ['-q', '/dev/null', 'sh', '-c', command] : ['-qec', command, '/dev/null']
  const child: ChildProcess = spawn('script', words, { ...options, stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  let shown = ''
  let seen = 0
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    shown += text.replaceAll('\r', '')
  })
  return {
    shown: () => shown,
    async answer(question, text) {
      await until(() => shown.includes(question, seen))
      seen = shown.indexOf(question, seen) + question.length
      child.stdin?.write(text)
    },
    async ended() {
      const [status] = await ended
      return status
    },
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  }
}
