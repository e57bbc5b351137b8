import type { CheckFigures, CrowdFigures, Round, SignInFigures } from './measure.ts'
import type { PostgresFigures } from './postgres.ts'
import type { TokenFigures } from './tokens.ts'

/** Everything that one run measured. */
export interface Figures {
  readonly date: string
  readonly node: string
  readonly machine: string
  readonly isPinned: boolean
  readonly quick: boolean
  readonly checks: readonly CheckFigures[]
  readonly tokens: TokenFigures
  readonly signIns: SignInFigures
  readonly crowd: CrowdFigures
  /** In ms. */
  readonly starts: readonly number[]
  readonly memory: { readonly idleMb: number; readonly loadedMb: number }
  readonly postgres: PostgresFigures
}

/** A figure with its required value and its target. */
export interface Verdict {
  readonly name: string
  readonly figure: number
  readonly must: number
  readonly aim: number
  readonly better: 'higher' | 'lower'
  readonly isHeld: boolean
}

/** Compares each budget with the median of its measurements. */
export function judge({ checks, tokens, signIns, crowd, starts, memory, postgres }: Figures): Verdict[] {
  const verdict = (name: string, figure: number, better: Verdict['better'], must: number, aim: number): Verdict => {
    const isHeld = better === 'higher' ? figure >= must : figure <= must // NaN, for a missing case, is neither
    return { name, figure, must, aim, better, isHeld }
  }
  return [
    verdict('session by cookie, of raw hello', ofHello(checks, 'session by cookie'), 'higher', 0.3, 0.65),
    verdict('session by bearer token, of raw hello', ofHello(checks, 'session by bearer token'), 'higher', 0.3, 0.55),
    verdict('sign-in page, of raw hello', ofHello(checks, 'sign-in page'), 'higher', 0.25, 0.35),
    verdict('introspection, of raw hello', ofHello(checks, 'introspection'), 'higher', 0.2, 0.28),
    ...(tokens.hasPeers
      ? [
          verdict(
            'introspection, times oidc-provider',
            timesPeer(tokens.checks, 'introspection', 'oidc-provider'),
            'higher',
            2.5,
            3,
          ),
        ]
      : []),
    verdict(
      'sign-ins, of the bare hash pool',
      median(ratesOf(signIns.server)) / median(ratesOf(signIns.pool)),
      'higher',
      0.85,
      0.97,
    ),
    verdict('p99 of checks while 16 sign in, ms', median(crowd.p99), 'lower', 30, 20),
    verdict('start to first 200, ms', median(starts), 'lower', 500, 250),
    ...(Number.isNaN(memory.idleMb) ? [] : [verdict('resident memory idle, MB', memory.idleMb, 'lower', 130, 110)]), // reported on Linux only
    verdict(
      'PostgreSQL: session by cookie, of raw hello',
      ofHello(postgres.checks, 'session by cookie'),
      'higher',
      0.3,
      0.5,
    ),
    ...(postgres.hasPeers
      ? [
          verdict(
            'PostgreSQL: session by cookie, times better-auth',
            timesPeer(postgres.checks, 'session by cookie', 'better-auth'),
            'higher',
            30,
            40,
          ),
        ]
      : []),
  ]
}

/** Formats the figures for people. */
export function render(figures: Figures, verdicts: readonly Verdict[]): string {
  const { checks, tokens, signIns, crowd, starts, memory, postgres } = figures
  const hello = checkOf(checks, 'raw hello')
  return [
    `${figures.date.slice(0, 10)}, Node ${figures.node}, ${figures.machine}`,
    figures.isPinned ? 'Servers on core 0, load on core 1.' : 'Nothing is pinned to cores here: figures scatter more.',
    ...(shareOfCore(hello) < 0.9
      ? ['The machine is busy with something else: look at the ratios per CPU second.']
      : []),
    ...(figures.quick ? ['Short rounds: good for a look, not for a claim.'] : []),
    '',
    checkTable('request', checks),
    '',
    ...(tokens.hasPeers ? [checkTable('beside oidc-provider', tokens.checks), ''] : []),
    signatureTable(tokens.signatures),
    '',
    checkTable('on PostgreSQL', postgres.checks),
    `Of the checks of the one process memory answered ${(postgres.hitRate * 100).toFixed(2)} %.`,
    '',
    columns([
      ['under way', 'figure'],
      ['sign-ins/s, 8 connections', whole(median(ratesOf(signIns.server)))],
      ['bare hash pool, checks/s', whole(median(ratesOf(signIns.pool)))],
      ['session checks/s while 16 sign in', whole(median(crowd.checks))],
      ['... their p99, ms', whole(median(crowd.p99))],
      ['... sign-ins/s meanwhile', whole(median(crowd.signIns))],
      ['start to first 200, ms', whole(median(starts))],
      ['resident memory idle / after the load, MB', `${whole(memory.idleMb)} / ${whole(memory.loadedMb)}`],
    ]),
    '',
    columns([
      ['budget', 'figure', 'must', 'aim', ''],
      ...verdicts.map(({ name, figure, must, aim, isHeld }) => [
        name,
        short(figure),
        short(must),
        short(aim),
        isHeld ? 'held' : 'MISSED',
      ]),
    ]),
    ...(tokens.hasPeers && postgres.hasPeers ? [] : ['Not measured beside other programs: that is --peers.']),
  ].join('\n')
}

function checkTable(title: string, checks: readonly CheckFigures[]): string {
  const hello = checkOf(checks, 'raw hello')
  return columns([
    [title, 'req/s', 'of hello', 'per CPU s', 'of hello', 'p99 ms'],
    ...checks.map((check) => [
      check.name,
      whole(median(rates(check))),
      hundredths(median(rates(check)) / median(rates(hello))),
      whole(median(perCpuSecond(check))),
      hundredths(median(perCpuSecond(check)) / median(perCpuSecond(hello))),
      whole(median(check.rounds.map(({ p99 }) => p99))),
    ]),
  ])
}

function signatureTable(signatures: TokenFigures['signatures']): string {
  const { bareSign, issue, bareVerify, verifyAtServer, verifyByClient } = signatures
  return columns([
    ['EdDSA, one thread', 'a second', 'of bare'],
    ['bare signature', whole(bareSign), hundredths(1)],
    ['access token signed', whole(issue), hundredths(issue / bareSign)],
    ['bare verification', whole(bareVerify), hundredths(1)],
    ['access token verified by the server', whole(verifyAtServer), hundredths(verifyAtServer / bareVerify)],
    ['access token verified by @gatelodge/client', whole(verifyByClient), hundredths(verifyByClient / bareVerify)],
  ])
}

/** Returns the median; of an even number of values, the upper middle one. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

function timesPeer(checks: readonly CheckFigures[], ours: string, peer: string): number {
  return capacity(checkOf(checks, ours).rounds) / capacity(checkOf(checks, peer).rounds)
}

function ofHello(checks: readonly CheckFigures[], name: string): number {
  return capacity(checkOf(checks, name).rounds) / capacity(checkOf(checks, 'raw hello').rounds)
}

/** Returns how many requests a server answers in a second of its own processor time, or simply per second if processor times are missing. */
function capacity(rounds: readonly Pick<Round, 'rate' | 'perCpuSecond'>[]): number {
  return median(rounds.map(({ rate, perCpuSecond }) => (Number.isNaN(perCpuSecond) ? rate : perCpuSecond)))
}

/** Returns the share of its core that a server under constant load actually got. */
function shareOfCore({ rounds }: CheckFigures): number {
  return median(rounds.map(({ rate, perCpuSecond }) => rate / perCpuSecond))
}

function checkOf(checks: readonly CheckFigures[], name: string): CheckFigures {
  return checks.find((check) => check.name === name) ?? { name, rounds: [] }
}

function rates({ rounds }: CheckFigures): number[] {
  return ratesOf(rounds)
}

function ratesOf(rounds: readonly { readonly rate: number }[]): number[] {
  return rounds.map(({ rate }) => rate)
}

function perCpuSecond({ rounds }: CheckFigures): number[] {
  return rounds.map((round) => round.perCpuSecond)
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows
    .map((row) =>
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))),
    )
    .map((cells) => cells.join('  ').trimEnd())
    .join('\n')
}

function whole(value: number): string {
  return Number.isNaN(value) ? '-' : Math.round(value).toLocaleString('en')
}

function hundredths(value: number): string {
  return Number.isNaN(value) ? '-' : value.toFixed(2)
}

function short(value: number): string {
  return value < 5 ? hundredths(value) : whole(value)
}
