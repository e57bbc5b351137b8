/** What is going on: one line that changes on a terminal, a line each elsewhere. */
export const progress = {
  say(text: string): void {
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`)
  },
  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  },
}
