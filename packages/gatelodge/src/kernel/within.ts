/**
 * Returns the result of `promise` if it settles within `ms`. Otherwise throws `late()` and ignores the later outcome.
 * @throws the error of the promise, or `late()`
 */
export async function within<T>(ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
  const { promise: end, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(late()), ms)
  try {
    return await Promise.race([promise, end])
  } finally {
    clearTimeout(timer)
  }
}
