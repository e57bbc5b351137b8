import { median, ratesOf, ratioOf } from './figures.ts'
import { grown, withMany } from './growth.ts'
import type { Figures } from './report.ts'

/** A figure with the limit that fails the run and the target. */
export interface Verdict {
  readonly name: string
  readonly figure: number
  readonly hold: number
  readonly aim: number
  readonly outcome: 'aim' | 'held' | 'missed'
}

interface Budget {
  readonly name: string
  readonly better: 'higher' | 'lower'
  /** Worse than this fails the run. */
  readonly hold: number
  /** The target: printed with the figure, never fails the run. */
  readonly aim: number
  /** NaN if the figure is missing, which counts as missed. */
  readonly figure: (figures: Figures) => number
  /** False if this run could not measure the figure: without peers, or where the system does not report it. */
  readonly isAsked?: (figures: Figures) => boolean
}

const toldMemory = ({ memory }: Figures) => !Number.isNaN(memory.idleMb) // on Linux only

const budgets: readonly Budget[] = [
  {
    name: 'session by cookie, of raw hello',
    better: 'higher',
    hold: 0.62,
    aim: 0.75,
    figure: ({ checks }) => ratioOf(checks, 'session by cookie', 'raw hello'),
  },
  {
    name: 'the same over 20,000 sessions, many accounts',
    better: 'higher',
    hold: 0.45,
    aim: 0.6,
    figure: ({ growth }) => ratioOf(growth.checks, withMany('session by cookie, 20,000 sessions'), 'raw hello'),
  },
  {
    name: 'session by bearer token, of raw hello',
    better: 'higher',
    hold: 0.6,
    aim: 0.7,
    figure: ({ checks }) => ratioOf(checks, 'session by bearer token', 'raw hello'),
  },
  {
    name: 'sign-in page, of raw hello',
    better: 'higher',
    hold: 0.42,
    aim: 0.55,
    figure: ({ checks }) => ratioOf(checks, 'sign-in page', 'raw hello'),
  },
  {
    name: 'introspection, of raw hello',
    better: 'higher',
    hold: 0.35,
    aim: 0.45,
    figure: ({ checks }) => ratioOf(checks, 'introspection', 'raw hello'),
  },
  {
    name: 'introspection, times oidc-provider',
    better: 'higher',
    hold: 2.9,
    aim: 4,
    figure: ({ tokens }) => ratioOf(tokens.checks, 'introspection', 'oidc-provider'),
    isAsked: ({ tokens }) => tokens.hasPeers,
  },
  {
    name: 'sign-ins, of the bare hash pool',
    better: 'higher',
    hold: 0.9,
    aim: 0.97,
    figure: ({ signIns }) => median(ratesOf(signIns.server)) / median(ratesOf(signIns.pool)),
  },
  {
    name: 'p99 of checks while 16 sign in, ms',
    better: 'lower',
    hold: 10,
    aim: 10,
    figure: ({ crowd }) => median(crowd.p99),
  },
  {
    name: 'sign-ins under a flood of checks, of their rate alone',
    better: 'higher',
    hold: 1 / 3,
    aim: 1 / 2,
    figure: ({ crowd, signIns }) => median(crowd.signIns) / median(ratesOf(signIns.server)),
  },
  { name: 'start to first 200, ms', better: 'lower', hold: 330, aim: 200, figure: ({ starts }) => median(starts) },
  {
    name: 'resident memory idle, MB',
    better: 'lower',
    hold: 115,
    aim: 90,
    figure: ({ memory }) => memory.idleMb,
    isAsked: toldMemory,
  },
  {
    name: 'resident memory behind a million mixed requests, MB',
    better: 'lower',
    hold: 180,
    aim: 130,
    figure: ({ memory }) => memory.loadedMb,
    isAsked: toldMemory,
  },
  {
    name: '... of what it was behind half of them',
    better: 'lower',
    hold: 1.05, // flat: resident memory moves by some percent from one collection to the next
    aim: 1.02,
    figure: ({ memory }) => memory.loadedMb / memory.halfMb,
    isAsked: toldMemory,
  },
  {
    name: 'PostgreSQL: session by cookie, of raw hello',
    better: 'higher',
    hold: 0.65,
    aim: 0.75,
    figure: ({ postgres }) => ratioOf(postgres.checks, 'session by cookie', 'raw hello'),
  },
  {
    name: 'PostgreSQL: session by cookie, times better-auth',
    better: 'higher',
    hold: 40,
    aim: 40,
    figure: ({ postgres }) => ratioOf(postgres.checks, 'session by cookie', 'better-auth'),
    isAsked: ({ postgres }) => postgres.hasPeers,
  },
  ...grown.map(
    (name): Budget => ({
      name: `many accounts: ${name} takes times that of 20,000`,
      better: 'lower',
      hold: 1.3,
      aim: 1.1,
      figure: ({ growth }) => ratioOf(growth.checks, name, withMany(name)),
    }),
  ),
  { name: 'packages installed', better: 'lower', hold: 75, aim: 60, figure: ({ install }) => install.packages },
  { name: 'size of them, MB', better: 'lower', hold: 75, aim: 60, figure: ({ install }) => install.mb },
]

/** Each budget that this run can judge, with what it measured. */
export function judge(figures: Figures): Verdict[] {
  return budgets
    .filter(({ isAsked }) => isAsked?.(figures) ?? true)
    .map(({ name, better, hold, aim, figure: measure }) => {
      const figure = measure(figures)
      const reaches = (bound: number) => (better === 'higher' ? figure >= bound : figure <= bound) // NaN reaches nothing
      return { name, figure, hold, aim, outcome: reaches(aim) ? 'aim' : reaches(hold) ? 'held' : 'missed' }
    })
}
