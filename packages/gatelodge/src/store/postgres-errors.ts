import { AuthError } from '../kernel/errors.ts'
import { foreignKeyViolation, uniqueViolation } from './constraints.ts'

/** Trouble of the database in words for an operator; it is the cause of the error that callers see. */
export class PostgresFailure extends Error {
  /** SQLSTATE, or the system's code. */
  readonly code: string | undefined

  constructor(message: string, cause: unknown) {
    super(message, { cause })
    this.name = new.target.name
    this.code = codeOf(cause)
  }
}

/** Why a unit of work has to begin again, as its own look at what it locked tells. */
class StaleLocks extends Error {}

/**
 * Returns the error by which a unit of work begins again: what it read before it took its locks has changed, so it holds the wrong ones. The store runs the
 * unit again a few times, then callers get `database_busy`.
 */
export function staleLocks(): AuthError {
  return new AuthError('database_busy', { retryAfter: 1, cause: new StaleLocks('rows changed while they were locked') })
}

/** What a caller gets when no connection could be had. */
export function connectFailure(error: unknown): AuthError {
  if (error instanceof Error && error.message === poolWaitEnded) {
    return busy('every connection of the pool was in use for too long', error)
  }
  return unavailable(connectReasons[codeOf(error) ?? ''] ?? messageOf(error), error)
}

/**
 * What a failed statement means: trouble of the database is `service_unavailable` or `database_busy`, a violated constraint what `constraints.ts` says; a
 * fault of ours stays as it is.
 */
export function statementFailure(error: unknown, connectionIsLost: boolean): unknown {
  if (error instanceof AuthError) return error

  const code = codeOf(error) ?? ''
  const reason = busyReasons[code]
  if (reason) return busy(reason, error)
  if (code === insufficientPrivilegeCode) return unavailable(`${messageOf(error)}: ${missingGrant}`, error)
  if (connectionIsLost || unavailableCodes.test(code) || /not queryable$/.test(messageOf(error)))
    return unavailable(messageOf(error), error)
  if (code === uniqueViolationCode) return uniqueViolation(textOf(error, 'constraint') ?? '') ?? error
  if (code === foreignKeyViolationCode) return foreignKeyViolation(textOf(error, 'table')) ?? error
  return error
}

/** No answer came in time. */
export function noAnswer(): AuthError {
  return unavailable('the database took the statement and did not answer', undefined)
}

/** Whether a transaction is to be tried again, since the server undid it (PostgreSQL manual, 13.5) or it asked for that: the next try sees what the other did. */
export function isRetriable(error: unknown): boolean {
  if (!(error instanceof AuthError)) return false
  const { cause } = error
  return cause instanceof StaleLocks || (cause instanceof PostgresFailure && retriable.has(cause.code ?? ''))
}

/** Whether it helps to make the connection anew: the server goes away, or was made a standby and another one leads now. */
export function endsConnection(error: unknown): boolean {
  return error instanceof AuthError && error.cause instanceof PostgresFailure && lost.test(error.cause.code ?? '')
}

const poolWaitEnded = 'timeout exceeded when trying to connect'
const retriable: ReadonlySet<string> = new Set(['40001', '40P01'])

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const busyReasons: Readonly<Record<string, string>> = {
  '40001': 'a transaction met others again and again',
  '40P01': 'a transaction met others in a deadlock again and again',
  '55P03': 'a row was locked for longer than lock_timeout',
  '57014': 'a statement took longer than statement_timeout, or was cancelled',
}
// Connections lost or refused, resources used up, the server going away, a standby, trouble of its disk.
const unavailableCodes = /^(?:08...|53...|57P0.|58...|25006|25P0[34])$/
const insufficientPrivilegeCode = '42501'
const missingGrant =
  'its role lacks a right on the schema or a table of it; "gatelodge doctor" names the schema and what to grant'
const uniqueViolationCode = '23505'
const foreignKeyViolationCode = '23503'
const lost = /^(?:08...|57P0.|25006|25P0[34])$/

/** What to do about it, since most of these are met when a server is set up. */
const connectReasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens at its address: start PostgreSQL, or correct the address',
  ENOTFOUND: 'its host has no address: correct the host',
  EAI_AGAIN: 'its host has no address at the moment: correct the host, or see to the DNS',
  ENOENT: 'there is no such socket or file: correct the path',
  '28000': 'it lets nobody in by this name from here: see pg_hba.conf, and whether it asks for TLS',
  '28P01': 'it refuses the password: correct it, percent-encoded where it has signs',
  '3D000': 'there is no database of this name: make it with CREATE DATABASE, or correct the name',
  '53300': 'it has too many connections: take fewer with pool=, or raise max_connections',
  '57P03': 'it is starting, stopping or recovering: try again in a moment',
  ...sameReason(
    'its certificate is not signed by an authority that we know: name the right one with sslrootcert=FILE',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_GET_ISSUER_CERT',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  ),
  ERR_TLS_CERT_ALTNAME_INVALID:
    'its certificate names another host: correct the host, or take sslmode=verify-ca with an authority of your own',
  CERT_HAS_EXPIRED: 'its certificate has expired: renew it',
}

function sameReason(reason: string, ...codes: readonly string[]): Record<string, string> {
  return Object.fromEntries(codes.map((code) => [code, reason]))
}

function busy(reason: string, cause: unknown): AuthError {
  return new AuthError('database_busy', { retryAfter: 1, cause: new PostgresFailure(reason, cause) })
}

function unavailable(reason: string, cause: unknown): AuthError {
  return new AuthError('service_unavailable', {
    detail: 'The database cannot be reached; try again in a moment',
    retryAfter: 5,
    cause: new PostgresFailure(reason, cause),
  })
}

function codeOf(error: unknown): string | undefined {
  return textOf(error, 'code')
}

function textOf(error: unknown, field: 'code' | 'constraint' | 'table'): string | undefined {
  const text = error instanceof Error ? (error as unknown as Readonly<Record<string, unknown>>)[field] : undefined
  return typeof text === 'string' ? text : undefined
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : ''
  if (message === 'The server does not support SSL connections') {
    return 'it offers no TLS: turn TLS on there, or accept that everything travels in clear with sslmode=disable'
  }
  if (/\btimeout\b/.test(message)) return 'it does not answer: see to the way there, or raise connect_timeout'
  return message || 'no reason given'
}
