/** Shows the progress: one changing line on a terminal, separate lines elsewhere. */
export const progress = {
  say(text: string): void {
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`)
  },
  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  },
}
