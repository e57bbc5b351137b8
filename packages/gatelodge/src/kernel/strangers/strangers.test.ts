import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { testClock } from '../../../test/support/deps.ts'
import { minute, second } from '../clock.ts'
import type { UserId } from '../ids.ts'
import { createBucket } from './bucket.ts'
import { createEventCounts } from './event-counts.ts'
import { createFairBucket } from './fair-bucket.ts'
import { blockOf } from './networks.ts'
import { createRecentCounters, createSharedCounters } from './spare-counters.ts'
import { createStrangers } from './strangers.ts'

const times = <T>(count: number, make: (index: number) => T) => Array.from({ length: count }, (_, index) => make(index))
const keyOf = (text: string) => createHash('sha256').update(text).digest('base64url')

test('a bucket refills at its rate up to its capacity, and setting the clock back refills nothing', () => {
  const clock = testClock()
  const bucket = createBucket({ most: 10, perSecond: 2 }, clock)
  bucket.take(12)
  assert.equal(bucket.level(), -2)
  clock.advance(3 * second)
  assert.equal(bucket.level(), 4)
  clock.advance(-minute)
  assert.equal(bucket.level(), 4)
  clock.advance(minute)
  assert.equal(bucket.level(), 10)
})

test('a single key gets half of a shared bucket, later a part of the refill, and leaves the rest to others', () => {
  const clock = testClock()
  const bucket = createFairBucket({ most: 100, perSecond: 4 }, clock)
  const taken = (key: string, tries: number) =>
    times(tries, () => bucket.take(key, 1)).filter((wait) => wait === 0).length
  assert.equal(taken('heavy', 1_000), 50)
  assert.equal(taken('light', 20), 20)
  assert.equal(taken('heavy', 1_000), 0)

  // The returned wait is sufficient, and no longer than necessary.
  const wait = bucket.take('heavy', 1)
  clock.advance(wait - 1)
  assert.ok(bucket.take('heavy', 1) > 0)
  clock.advance(2)
  assert.equal(bucket.take('heavy', 1), 0)

  let heavy = 0
  for (let seconds = 0; seconds < 1_000; seconds += 1) {
    clock.advance(second)
    heavy += taken('heavy', 10)
  }
  assert.ok(heavy >= 1_000 && heavy < 1_200, `${heavy}`)
  assert.equal(taken('new', 5), 5)
})

test('ten thousand simultaneous networks empty the bucket, and shares beyond that number are forgotten', () => {
  const bucket = createFairBucket({ most: 20_000, perSecond: 1 }, testClock())
  const served = times(30_000, (index) => bucket.take(`n${index}`, 1)).filter((wait) => wait === 0).length
  assert.equal(served, 20_000)
})

test('a network is identified by its leading bits, for IPv4 and IPv6', () => {
  const narrow = { ipv4: 24, ipv6: 48 } as const
  const wide = { ipv4: 16, ipv6: 32 } as const
  for (const [ip, one, other] of [
    ['203.0.113.9', '203.0.113.0/24', '203.0.0.0/16'],
    ['2001:db8:12:34::', '2001:db8:12::/48', '2001:db8::/32'],
    ['0:0:0:0::', '0:0:0::/48', '0:0::/32'],
    ['2001:db8::5', '2001:db8:0::/48', '2001:db8::/32'],
    [null, '', ''],
  ] as const) {
    assert.deepEqual([blockOf(ip, narrow), blockOf(ip, wide)], [one, other])
  }
})

test('counts of addresses start with the first one, and the most recently used are kept', () => {
  const counters = createRecentCounters(3)
  for (const key of ['a', 'b', 'c', 'a']) counters.add(key, 1_000, minute)
  assert.deepEqual(counters.find('a', 2_000, minute), { count: 2, since: 1_000 })
  assert.equal(counters.find('a', 1_000 + minute, minute), undefined)
  assert.equal(counters.find('a', 999, minute), undefined)
  counters.add('d', 2_000, minute)
  assert.equal(counters.find('b', 2_000, minute), undefined)
  assert.deepEqual(counters.add('a', 1_000 + minute, minute), { count: 1, since: 1_000 + minute })
  counters.forget('a')
  assert.equal(counters.find('a', 1_000 + minute, minute), undefined)
})

test('counts of names are never too low, whatever else is counted, and expire after the last one', () => {
  const counters = createSharedCounters(64)
  const now = 10 * minute
  const key = keyOf('ada')
  counters.forget(key)
  assert.equal(counters.find(key, now, minute), undefined)
  for (let round = 1; round <= 5; round += 1) {
    assert.ok(counters.add(key, now, minute).count >= round)
    for (let other = 0; other < 500; other += 1) counters.add(keyOf(`other ${round} ${other}`), now, minute)
  }
  assert.ok((counters.find(key, now, minute)?.count ?? 0) >= 5)
  assert.ok((counters.find(key, now + minute - 1, minute)?.count ?? 0) >= 5)
  assert.equal(counters.find(key, now + minute, minute), undefined)
  counters.add(key, now, minute)
  counters.forget(key)
  assert.equal(counters.find(key, now, minute), undefined)
})

test('counts of names are exact while few are counted', () => {
  const counters = createSharedCounters(2 ** 19)
  for (let name = 0; name < 2_000; name += 1) counters.add(keyOf(`${name}`), minute, minute)
  const wrong = times(2_000, (name) => counters.find(keyOf(`${name}`), minute, minute)?.count).filter(
    (count) => count !== 1,
  )
  assert.deepEqual(wrong, [])
  assert.equal(counters.find(keyOf('unknown'), minute, minute), undefined)
})

test('events are counted by account and by network, up to a hundred of each, and returned once their minute is over', () => {
  const clock = testClock()
  const counts = createEventCounts({ most: 5, perSecond: 1 }, clock)
  const sum = (events: readonly { count: number }[]) => events.reduce((total, { count }) => total + count, 0)
  for (let index = 0; index < 250; index += 1) {
    counts.add('signin.failed', `user ${index}` as UserId, '203.0.113.1')
    counts.add('signin.failed', null, `203.0.${index}.1`)
  }
  counts.add('signin.failed', null, null)
  assert.deepEqual(counts.takeDue(false), [])
  clock.advance(minute)
  const due = counts.takeDue(false)
  assert.equal(due.filter(({ userId }) => userId !== null).length, 100)
  assert.equal(due.filter(({ network }) => network).length, 100)
  assert.equal(due.length, 201) // one for the rest, including events without an address
  assert.equal(sum(due), 501)
  assert.deepEqual(counts.takeDue(true), [])

  counts.add('signin.failed', null, '203.0.1.1')
  counts.giveBack(due)
  assert.equal(sum(counts.takeDue(true)), 502)
})

test('stored events of each name are limited per network and minute, and in total', () => {
  const clock = testClock()
  const counts = createEventCounts({ most: 25, perSecond: 0.1 }, clock)
  const stored = (name: 'signin.failed' | 'limit.exceeded', ipOf: (index: number) => string) =>
    times(100, (index) => counts.mayStore(name, ipOf(index))).filter(Boolean).length
  assert.equal(
    stored('signin.failed', (index) => `203.0.113.${index}`),
    10,
  )
  assert.equal(
    stored('signin.failed', (index) => `2001:db8:1:${index}::`),
    10,
  )
  assert.equal(
    stored('signin.failed', (index) => `203.0.${index}.1`),
    5,
  )
  assert.equal(
    stored('limit.exceeded', (index) => `203.0.${index}.1`),
    25,
  )
  clock.advance(minute)
  assert.equal(
    stored('signin.failed', () => '203.0.113.1'),
    6,
  )
})

test('everything without a row is tallied, and without bounds everything may be stored', () => {
  const clock = testClock()
  const strangers = createStrangers(clock, true)
  for (let index = 0; index < 1_500; index += 1) strangers.counterAdded()
  assert.deepEqual([strangers.mayAddCounter(false), strangers.mayAddCounter(true)], [false, true])
  for (let index = 0; index < 500; index += 1) strangers.counterAdded()
  assert.equal(strangers.mayAddCounter(true), false)
  strangers.names.add(keyOf('ada'), clock.now(), minute)
  strangers.addresses.add('192.0.2.1', clock.now(), minute)
  strangers.events.add('signin.failed', null, null)
  strangers.refused()
  assert.deepEqual(strangers.tally(), { events: new Map([['signin.failed', 1]]), counters: 2, asks: 1 })

  const unbound = createStrangers(clock, false)
  assert.ok(times(5_000, () => unbound.events.mayStore('signin.failed', '192.0.2.1')).every(Boolean))
  assert.ok(times(5_000, () => unbound.ask('192.0.2.1', 9)).every((wait) => wait === 0))
})
