/** Where a program writes text: standard output, standard error, or a test's own. */
export interface Output {
  write(text: string): void
}
