import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networksOf } from './networks.ts'

test('an IPv6 address belongs to its /32, /48 and /64 in any notation', () => {
  const networks = ['2001:db8::', '2001:db8:1::', '2001:db8:1:2::']
  for (const text of ['2001:db8:1:2:3:4:5:6', '2001:0DB8:0001:0002::', '2001:db8:1:2::6', '2001:db8:1:2:3::%eth0'])
    assert.deepEqual(networksOf(text), networks, text)
  assert.deepEqual(networksOf('::1'), ['0:0::', '0:0:0::', '0:0:0:0::'])
})

test('an IPv4 address belongs to its /16 and /24, even when mapped to IPv6', () => {
  for (const text of ['203.0.113.7', '::ffff:203.0.113.7', '::ffff:cb00:7107', '0:0:0:0:0:FFFF:CB00:7107%eth0'])
    assert.deepEqual(networksOf(text), ['203.0', '203.0.113', '203.0.113.7'])
})

test('a text that is not an address is its own network', () => {
  for (const text of ['somewhere', '1.2.3', '', '2001:db8:::1']) assert.deepEqual(networksOf(text), [text, text, text])
})
