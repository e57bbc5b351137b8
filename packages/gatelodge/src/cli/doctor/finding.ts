/** The result of one check, with what to do if it is not ok. */
export interface Finding {
  readonly check: string
  readonly status: 'ok' | 'warn' | 'fail'
  readonly says: string
  readonly advice?: string
}
