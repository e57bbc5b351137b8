import { createHash } from 'node:crypto'
import { trimBlanks } from '../kernel/wire-text.ts'
import type { Answer } from './route.ts'

/** Returns the strong validator of a representation (RFC 9110, section 8.8.3). */
export function etagOf(bytes: Uint8Array): string {
  return `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`
}

/** Returns the answer with its validator, or 304 if the caller's `If-None-Match` names it. */
export function withEtag(answer: Answer, etag: string, ifNoneMatch: string | undefined): Answer {
  const headers = { ...answer.headers, etag }
  return isNamed(etag, ifNoneMatch) ? { status: 304, headers } : { ...answer, headers }
}

/** Compares by the weak comparison (RFC 9110, section 13.1.2). */
function isNamed(etag: string, ifNoneMatch = ''): boolean {
  if (trimBlanks(ifNoneMatch) === '*') return true
  return ifNoneMatch.match(/"[^"]*"/g)?.includes(etag) ?? false
}
