/** A sentence that tells how something went, until it is dismissed or its time is over. */
export interface Toast {
  readonly id: number
  readonly text: string
}

let last = 0

/** What is told now. Only the browser tells: on the server this list would be everybody's. */
export const toasts = $state<{ shown: readonly Toast[] }>({ shown: [] })

export function tell(text: string): void {
  last += 1
  toasts.shown = [...toasts.shown, { id: last, text }]
}

export function dismiss({ id }: Toast): void {
  toasts.shown = toasts.shown.filter((toast) => toast.id !== id)
}
