import type { Verdict } from './budgets.ts'
import { checkOf, median, perCpuSecond, ratesOf } from './figures.ts'
import type { GrowthFigures } from './growth.ts'
import type { InstallFigures } from './install.ts'
import type { CheckFigures, CrowdFigures, SignInFigures } from './measure.ts'
import type { MemoryFigures } from './memory.ts'
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
  readonly memory: MemoryFigures
  readonly growth: GrowthFigures
  readonly postgres: PostgresFigures
  readonly install: InstallFigures
}

/** Formats the figures for people. */
export function render(figures: Figures, verdicts: readonly Verdict[]): string {
  const { checks, tokens, signIns, crowd, starts, memory, growth, postgres, install } = figures
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
    ...(tokens.hasPeers ? [checkTable('against oidc-provider', tokens.checks), ''] : []),
    signatureTable(tokens.signatures),
    '',
    checkTable(`20,000 accounts and ${growth.accounts.toLocaleString('en')}`, growth.checks),
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
      [
        'resident memory idle / half / all of the mixed requests, MB',
        [memory.idleMb, memory.halfMb, memory.loadedMb].map(whole).join(' / '),
      ],
      ['packages installed / their size, MB', `${whole(install.packages)} / ${whole(install.mb)}`],
    ]),
    '',
    columns([
      ['budget', 'figure', 'hold', 'aim', ''],
      ...verdicts.map(({ name, figure, hold, aim, outcome }) => [
        name,
        short(figure),
        short(hold),
        short(aim),
        outcome === 'missed' ? 'MISSED' : outcome,
      ]),
    ]),
    ...(tokens.hasPeers && postgres.hasPeers ? [] : ['Other programs were not measured: pass --peers.']),
  ].join('\n')
}

function checkTable(title: string, checks: readonly CheckFigures[]): string {
  const hello = checkOf(checks, 'raw hello')
  return columns([
    [title, 'req/s', 'of hello', 'per CPU s', 'of hello', 'p99 ms'],
    ...checks.map((check) => [
      check.name,
      whole(median(ratesOf(check.rounds))),
      hundredths(median(ratesOf(check.rounds)) / median(ratesOf(hello.rounds))),
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

/** How much of its core a server that is asked without a pause really got. */
function shareOfCore({ rounds }: CheckFigures): number {
  return median(rounds.map(({ rate, perCpuSecond }) => rate / perCpuSecond))
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
