import { AuthError } from '../kernel/errors.ts'
import { foreignKeyViolation, uniqueViolation } from './constraints.ts'

/** A failure of the database, worded for operators. It is the cause of the error that callers receive. */
export class PostgresFailure extends Error {
  /** SQLSTATE, or the error code of the operating system. */
  readonly code: string | undefined

  constructor(message: string, cause: unknown) {
    super(message, { cause })
    this.name = new.target.name
    this.code = codeOf(cause)
  }
}

/** Signals that a unit of work found, on checking, that it has to start over. */
class StaleLocks extends Error {}

/**
 * Returns the error that makes a unit of work start over: what it read before it took its locks has changed, so it holds the wrong ones. The store retries
 * the unit a few times, then callers receive `database_busy`.
 */
export function staleLocks(): AuthError {
  return new AuthError('database_busy', { retryAfter: 1, cause: new StaleLocks('rows changed while they were locked') })
}

/** Returns the error for callers when no connection could be opened. */
export function connectFailure(error: unknown): AuthError {
  if (error instanceof Error && error.message === poolWaitEnded) {
    return busy('every connection of the pool was in use for too long', error)
  }
  return unavailable(connectReasons[codeOf(error) ?? ''] ?? messageOf(error), error)
}

/**
 * Translates the error of a failed statement: `service_unavailable` or `database_busy` for failures of the database, the error from `constraints.ts` for a
 * violated constraint. Errors in our own code are returned unchanged.
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

/** Returns the error for a statement that received no response in time. */
export function noAnswer(): AuthError {
  return unavailable('the database received the statement and did not respond', undefined)
}

/**
 * Returns whether a transaction should be retried because the server rolled it back (PostgreSQL manual, 13.5) or because it asked for that itself. The next
 * attempt sees the other transaction's changes.
 */
export function isRetriable(error: unknown): boolean {
  if (!(error instanceof AuthError)) return false
  const { cause } = error
  return cause instanceof StaleLocks || (cause instanceof PostgresFailure && retriable.has(cause.code ?? ''))
}

/** Returns whether the connection has to be replaced: the server is shutting down, or became a standby while another server is now the primary. */
export function endsConnection(error: unknown): boolean {
  return error instanceof AuthError && error.cause instanceof PostgresFailure && lost.test(error.cause.code ?? '')
}

const poolWaitEnded = 'timeout exceeded when trying to connect'
const retriable: ReadonlySet<string> = new Set(['40001', '40P01'])

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const busyReasons: Readonly<Record<string, string>> = {
  '40001': 'a transaction repeatedly conflicted with others',
  '40P01': 'a transaction repeatedly deadlocked with others',
  '55P03': 'a row was locked for longer than lock_timeout',
  '57014': 'a statement took longer than statement_timeout, or was cancelled',
}
// Connection lost or refused, resources exhausted, server shutting down, standby, disk failure.
const unavailableCodes = /^(?:08...|53...|57P0.|58...|25006|25P0[34])$/
const insufficientPrivilegeCode = '42501'
const missingGrant =
  'its role lacks a privilege on the schema or one of its tables; "gatelodge doctor" names the schema and what to grant'
const uniqueViolationCode = '23505'
const foreignKeyViolationCode = '23503'
const lost = /^(?:08...|57P0.|25006|25P0[34])$/

/** Includes what to do about it, since most of these occur when a server is set up. */
const connectReasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing is listening at its address: start PostgreSQL, or correct the address',
  ENOTFOUND: 'its host name does not exist: correct it',
  EAI_AGAIN: 'its host name cannot be resolved at the moment: correct it, or check the DNS',
  ENOENT: 'there is no such socket or file: correct the path',
  '28000': 'it does not accept this user from this address: check pg_hba.conf, and whether it requires TLS',
  '28P01': 'it rejects the password: correct it, and percent-encode special characters',
  '3D000': 'there is no database of this name: create it with CREATE DATABASE, or correct the name',
  '53300': 'it has too many connections: use fewer with pool=, or raise max_connections',
  '57P03': 'it is starting, stopping or recovering: try again in a moment',
  ...sameReason(
    'its certificate is not signed by a trusted authority: name the right one with sslrootcert=FILE',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_GET_ISSUER_CERT',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  ),
  ERR_TLS_CERT_ALTNAME_INVALID:
    'its certificate names another host: correct the host, or use sslmode=verify-ca with your own authority',
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
    return 'it does not offer TLS: enable TLS there, or accept unencrypted connections with sslmode=disable'
  }
  if (/\btimeout\b/.test(message)) return 'it does not respond: check the network, or raise connect_timeout'
  return message || 'no reason given'
}
