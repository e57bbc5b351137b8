/** What one check found, and what to do about it when it is not as it should be. */
export interface Finding {
  readonly check: string
  readonly status: 'ok' | 'warn' | 'fail'
  readonly says: string
  readonly advice?: string
}
