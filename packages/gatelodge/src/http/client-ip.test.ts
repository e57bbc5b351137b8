import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Ask, forEachDatabase, testApp } from '../../test/support/app.ts'
import { tally } from '../../test/support/attack.ts'
import { listen } from '../../test/support/wire.ts'
import { day } from '../kernel/clock.ts'
import { createClientIp } from './client-ip.ts'

const proxies = ['10.0.0.0/8', 'fd00::/8', '::ffff:172.16.0.0/108']
const v6 = '2001:db8:1:2::'

/** Returns the address found behind the peer 10.0.0.1, and how many headers could not be read. */
function readAs(forwardedFor: string, peer = '10.0.0.1'): [string | null, number] {
  let unreadable = 0
  const clientIp = createClientIp(proxies, {
    note: () => assert.fail('the peer is trusted'),
    noteUnreadable: () => {
      unreadable += 1
    },
  })
  return [clientIp(peer, forwardedFor), unreadable]
}

test('every form in which a proxy writes an address is read', () => {
  for (const text of [
    '203.0.113.7',
    '203.0.113.7:51820',
    '203.0.113.7:0',
    '[203.0.113.7]:443',
    '"203.0.113.7"',
    '::ffff:203.0.113.7',
    '::FFFF:203.0.113.7',
    '::ffff:cb00:7107',
    '0:0:0:0:0:ffff:cb00:7107',
    '0000:0000:0000:0000:0000:FFFF:CB00:7107',
    '[::ffff:203.0.113.7]',
    '[::ffff:cb00:7107]:51820',
    '"[::ffff:203.0.113.7]:51820"',
    '::ffff:203.0.113.7:51820',
  ]) {
    assert.deepEqual(readAs(text), ['203.0.113.7', 0], text)
  }
  for (const text of [
    '2001:db8:1:2::7',
    '2001:DB8:1:2:3:4:5:6',
    '2001:0db8:0001:0002:0000:0000:0000:0007',
    '2001:db8:1:2::203.0.113.7',
    '[2001:db8:1:2::7]',
    '[2001:db8:1:2::7]:51820',
    '"[2001:db8:1:2::7]:51820"',
    '2001:db8:1:2:3:4:5:6:51820',
    '2001:db8:1:2::7%eth0',
    '[2001:db8:1:2::7%25eth0]:51820',
  ]) {
    assert.deepEqual(readAs(text), [v6, 0], text)
  }
  assert.deepEqual(readAs('1:2::3:4:5:1.2.3.4'), ['1:2:0:3::', 0])
})

test('spaces, tabs and empty items of the list are skipped', () => {
  for (const text of [
    '203.0.113.7,',
    '203.0.113.7 , ',
    '203.0.113.7,,,\t,',
    ',203.0.113.7',
    '\t203.0.113.7\t',
    '198.51.100.1,,203.0.113.7',
    '203.0.113.7, 10.0.0.9,',
    '203.0.113.7:1, [fd00::1]:2,, 10.0.0.9:3 ,',
    '203.0.113.7, ::ffff:172.16.9.9',
    '203.0.113.7, ::ffff:ac10:909',
  ]) {
    assert.deepEqual(readAs(text), ['203.0.113.7', 0], text)
  }
})

test('the peer itself is recognised in every spelling', () => {
  for (const peer of [
    '::ffff:10.0.0.1',
    '::ffff:a00:1',
    '0:0:0:0:0:ffff:a00:1',
    'fd00::1%eth0',
    '[fd00::1]:80',
    '10.0.0.1:80',
  ])
    assert.deepEqual(readAs('203.0.113.7', peer), ['203.0.113.7', 0], peer)
})

test('anything that is not an address counts as the proxy that wrote it, and is noted', () => {
  for (const text of [
    '',
    ',',
    ' , ,',
    'unknown',
    '_hidden',
    '-',
    'null',
    '1.2.3',
    '999.1.1.1',
    '01.2.3.4',
    '1.2.3.4:',
    '1.2.3.4:x',
    '1.2.3.4:123456',
    '[1.2.3.4',
    '[2001:db8::1',
    '2001:db8::1]:80',
    '[]:80',
    '[unknown]:80',
    '::g',
    '1:2:3:4:5:6:7:8:9:10',
    'for=203.0.113.7',
    'client.example.com',
    '203.0.113.7 198.51.100.1',
    '203.0.113.7;198.51.100.1',
    '\u00a0203.0.113.7',
    '203.0.113.7\u00a0',
    '203.0.113.7, unknown',
    '203.0.113.7, unknown, 10.0.0.1',
    'x'.repeat(9_000),
  ]) {
    assert.deepEqual(readAs(text), ['10.0.0.1', 1], text)
  }
  assert.deepEqual(
    readAs('unknown, 203.0.113.7'),
    ['203.0.113.7', 0],
    'entries to the left of the client address are ignored',
  )
})

forEachDatabase('the address of a client', (engine) => {
  test('clients behind a proxy that adds ports have separate budgets, whatever their ports', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_TRUSTED_PROXIES: '10.0.0.0/8' } })
    const guess = async (askOf: (round: number) => Ask) => {
      const codes: (string | undefined)[] = []
      for (let round = 0; round < 36; round += 1) {
        const body = { email: `p${round}@example.com`, password: 'wrong harbour' }
        codes.push((await app.post('/signin', body, askOf(round))).code)
      }
      return tally(codes)
    }
    const through = (forwarded: string): Ask => ({ ip: '10.0.0.1', headers: { 'x-forwarded-for': forwarded } })
    assert.deepEqual(await guess((round) => through(`203.0.113.${round}:5${round}`)), { invalid_credentials: 36 })
    assert.deepEqual(await guess((round) => through(`[2001:db8:${round}::1]:443`)), { invalid_credentials: 36 })
    assert.deepEqual(await guess((round) => through(`::ffff:c633:64${(16 + round).toString(16)}`)), {
      invalid_credentials: 36,
    })
    assert.deepEqual(await guess((round) => through(`192.0.2.9:${1_024 + round},`)), {
      invalid_credentials: 30,
      rate_limited: 6,
    })
  })

  test('an unreadable header is reported once a day, without quoting it', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_TRUSTED_PROXIES: '10.0.0.0/8' } })
    const ask = (forwarded: string) =>
      app.get('/username-available?username=ada', { ip: '10.0.0.1', headers: { 'x-forwarded-for': forwarded } })
    const told = () => app.logged.filter(({ message }) => message.startsWith('X-Forwarded-For from a trusted proxy'))
    await ask('203.0.113.7:80')
    assert.equal(told().length, 0)
    for (const text of ['unknown', '_secret', ',']) await ask(text)
    assert.equal(told().length, 1)
    assert.doesNotMatch(JSON.stringify(app.logged), /_secret|unknown"/)
    app.clock.advance(day)
    await ask('unknown')
    assert.equal(told().length, 2)
  })
})

test('several header lines form one list, read from the last line', async () => {
  await using app = await testApp({ engine: 'sqlite', env: { GATELODGE_TRUSTED_PROXIES: '127.0.0.1,10.0.0.0/8' } })
  await using wire = await listen(app)
  const body = JSON.stringify({ email: 'ada@example.com', password: 'wrong harbour' })
  const lines = ['198.51.100.1', '203.0.113.7:51820', '10.0.0.9,']
    .map((text) => `x-forwarded-for: ${text}\r\n`)
    .join('')
  await wire.send(
    `POST /api/v1/auth/signin HTTP/1.1\r\nhost: localhost:3000\r\ncontent-type: application/json\r\n${lines}` +
      `content-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  )
  assert.deepEqual(
    (await app.rows('events')).filter(({ name }) => name === 'signin.failed').map(({ ip }) => ip),
    ['203.0.113.7'],
  )
})
