/** Where a program writes text: standard output, standard error, or what a test brings. */
export interface Output {
  write(text: string): void
}
