import type { User } from './generated.ts'
import { isRecord } from './json.ts'

/** Returns whether a value is a user, as far as it is used here. */
export function isUser(value: unknown): value is User {
  return isRecord(value) && typeof value.id === 'string' && typeof value.email === 'string'
}
