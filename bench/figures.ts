import type { CheckFigures, Round } from './measure.ts'

/** The middle of the values, the upper of two. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** The figures of one kind of request; of one that was not measured every figure is NaN. */
export function checkOf(checks: readonly CheckFigures[], name: string): CheckFigures {
  return checks.find((check) => check.name === name) ?? { name, rounds: [] }
}

/** What one kind of request reaches of another, by the capacity of their servers. */
export function ratioOf(checks: readonly CheckFigures[], name: string, other: string): number {
  return capacity(checkOf(checks, name).rounds) / capacity(checkOf(checks, other).rounds)
}

export function ratesOf(rounds: readonly { readonly rate: number }[]): number[] {
  return rounds.map(({ rate }) => rate)
}

export function perCpuSecond({ rounds }: CheckFigures): number[] {
  return rounds.map((round) => round.perCpuSecond)
}

/** What a server answers in a second that is all its own; without processor times, simply in a second. */
function capacity(rounds: readonly Pick<Round, 'rate' | 'perCpuSecond'>[]): number {
  return median(rounds.map(({ rate, perCpuSecond }) => (Number.isNaN(perCpuSecond) ? rate : perCpuSecond)))
}
