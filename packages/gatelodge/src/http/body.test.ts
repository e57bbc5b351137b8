import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, testApp } from '../../test/support/app.ts'

forEachDatabase('the type of a body', (engine) => {
  test('parameters of application/json are ignored; another charset, another coding and another type are 415', async () => {
    await using app = await testApp({ engine, env: { GATELODGE_RATE_LIMITS: 'off' } })
    const statusOf = async (type: string, coding?: string) => {
      const headers = { 'content-type': type, ...(coding !== undefined && { 'content-encoding': coding }) }
      const body = '{"email":"ada@example.com","password":"wrong harbour"}'
      const request = new Request('http://localhost:3000/api/v1/auth/signin', { method: 'POST', headers, body })
      return (await app.composition.fetch(request, { peer: '192.0.2.1' })).status
    }
    for (const type of [
      'application/json;',
      'application/json ; ',
      'Application/JSON;charset=UTF-8;',
      'application/json; charset="utf-8"; profile="a;b"',
      'application/json;odata=verbose;IEEE754Compatible=true',
      'application/json; version=1; charset=utf8',
      'application/json ;;; charset = UTF-8 ;',
      'application/json; profile="a;charset=latin1"; x="\\"; charset=latin1"',
      `application/json; profile="${'x'.repeat(2_000)}"`,
      'application/json; strict',
    ])
      assert.equal(await statusOf(type), 401, type)
    for (const coding of ['identity', 'Identity', '', ' '])
      assert.equal(await statusOf('application/json', coding), 401)
    for (const type of [
      'application/json; charset=iso-8859-1',
      'application/json;charset="utf-16"',
      'application/json; charset=utf-8; charset=latin1',
      'application/json; charset=',
      'application/json; charset',
      'application/json; charset = latin1',
      'application/json;charset =iso-8859-1',
      'application/json; charset= utf-16',
      'application/json; CHARSET="latin1"',
      'application/json; profile="; charset=latin1',
      'application/json, application/json',
      'application /json',
      'application/jsonx',
      'application/json+x;',
      'text/plain;application/json',
    ])
      assert.equal(await statusOf(type), 415, type)
    for (const coding of ['gzip', 'br', 'deflate', 'identity, gzip', 'x', 'utf-8'])
      assert.equal(await statusOf('application/json', coding), 415, coding)
  })
})
