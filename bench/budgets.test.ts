import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge } from './budgets.ts'
import { grown, withMany } from './growth.ts'
import type { Figures } from './report.ts'

const rounds = (perCpuSecond: number) => [{ rate: perCpuSecond, perCpuSecond, p99: 1 }]
const check = (name: string, capacity: number) => ({ name, rounds: rounds(capacity) })

/** A run without peers in which every figure reaches its aim. */
const good: Figures = {
  date: '2026-11-30T00:00:00.000Z',
  node: 'v26.10.0',
  machine: 'test',
  isPinned: true,
  quick: false,
  checks: [
    check('raw hello', 100),
    check('session by cookie', 80),
    check('session by bearer token', 80),
    check('sign-in page', 80),
    check('introspection', 80),
  ],
  tokens: {
    checks: [],
    signatures: { bareSign: 1, issue: 1, bareVerify: 1, verifyAtServer: 1, verifyByClient: 1 },
    hasPeers: false,
  },
  signIns: { server: rounds(99), pool: rounds(100) },
  crowd: { checks: [100], signIns: [60], p99: [5] },
  starts: [150],
  memory: { idleMb: 80, halfMb: 100, loadedMb: 101 },
  growth: {
    accounts: 1_000_000,
    checks: [check('raw hello', 100), ...grown.flatMap((name) => [check(name, 80), check(withMany(name), 80)])],
  },
  postgres: { checks: [check('raw hello', 100), check('session by cookie', 80)], hitRate: 1, hasPeers: false },
  install: { packages: 50, mb: 50 },
}

const outcomes = (figures: Figures) => new Map(judge(figures).map(({ name, outcome }) => [name, outcome]))

test('a figure reaches its aim, holds its budget or misses it', () => {
  assert.deepEqual([...new Set(outcomes(good).values())], ['aim'])

  const of = (alone: number) =>
    outcomes({ ...good, signIns: { ...good.signIns, server: rounds(alone) } }).get('sign-ins, of the bare hash pool')
  assert.deepEqual([of(97), of(96), of(90), of(89)], ['aim', 'held', 'held', 'missed'])
  const start = (ms: number) => outcomes({ ...good, starts: [ms] }).get('start to first 200, ms')
  assert.deepEqual([start(200), start(201), start(330), start(331)], ['aim', 'held', 'held', 'missed'])
})

test('sign-ins under a flood are judged by their rate alone, and memory by its growth as well', () => {
  const crowd = { ...good.crowd, signIns: [32] }
  assert.equal(outcomes({ ...good, crowd }).get('sign-ins under a flood of checks, of their rate alone'), 'missed')
  const memory = { ...good.memory, halfMb: 90 }
  assert.equal(outcomes({ ...good, memory }).get('... of what it was behind half of them'), 'missed')
})

test('a figure that is missing is a budget missed, what this run could not measure is none', () => {
  const checks = good.checks.filter(({ name }) => name !== 'introspection')
  assert.equal(outcomes({ ...good, checks }).get('introspection, of raw hello'), 'missed')

  const unknown = { idleMb: Number.NaN, halfMb: Number.NaN, loadedMb: Number.NaN }
  const names = [...outcomes({ ...good, memory: unknown }).keys()]
  assert.ok(
    names.every((name) => !/memory|behind|peers|better-auth|oidc/.test(name)),
    names.join(),
  )

  const withPeers = { ...good, tokens: { ...good.tokens, hasPeers: true } }
  assert.equal(outcomes(withPeers).get('introspection, times oidc-provider'), 'missed')
})
