import { AuthError } from '../kernel/errors.ts'

/** Limits the uploads under way: each holds its body in memory until it is answered. */
export interface UploadSlots {
  /** Runs an upload on behalf of `subject`. @throws overloaded if too many are under way */
  run<T>(subject: string, upload: () => Promise<T>): Promise<T>
}

/** Creates slots for `most` concurrent uploads, `each` per subject, so that slow senders can neither block others nor exhaust memory. */
export function createUploadSlots({ most, each }: { readonly most: number; readonly each: number }): UploadSlots {
  const underWay: string[] = []

  return {
    async run(subject, upload) {
      const own = underWay.filter((other) => other === subject).length
      if (underWay.length >= most || own >= each)
        throw new AuthError('overloaded', { retryAfter: 5, detail: 'Too many uploads are in progress; try again' })

      underWay.push(subject)
      try {
        return await upload()
      } finally {
        underWay.splice(underWay.indexOf(subject), 1)
      }
    },
  }
}
