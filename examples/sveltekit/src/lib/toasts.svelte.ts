/** A message about a result, shown until it is dismissed or times out. */
export interface Toast {
  readonly id: number
  readonly text: string
}

let last = 0

/** The messages shown now. Only used in the browser: on the server this list would be shared by all users. */
export const toasts = $state<{ shown: readonly Toast[] }>({ shown: [] })

export function tell(text: string): void {
  last += 1
  toasts.shown = [...toasts.shown, { id: last, text }]
}

export function dismiss({ id }: Toast): void {
  toasts.shown = toasts.shown.filter((toast) => toast.id !== id)
}
