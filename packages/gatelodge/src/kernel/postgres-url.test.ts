import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLocalPostgres, parsePostgresUrl } from './postgres-url.ts'

const host = 'postgres://u:p@db.example.com/g'

test('a PostgreSQL URL is parsed, with its parts decoded and safe timeouts', () => {
  assert.deepEqual(parsePostgresUrl('postgresql://ada%40x:p%2Fw@db.example.com:6432/gate%20lodge'), {
    host: 'db.example.com',
    port: 6432,
    user: 'ada@x',
    password: 'p/w',
    database: 'gate lodge',
    tls: { mode: 'verify-full', rootCert: null, cert: null, key: null },
    pool: 10,
    connectTimeout: 5_000,
    statementTimeout: 10_000,
    lockTimeout: 5_000,
  })
  const options = parsePostgresUrl(`${host}?pool=25&connect_timeout=2s&statement_timeout=1m&lock_timeout=500ms`)
  assert.deepEqual(
    [options?.pool, options?.connectTimeout, options?.statementTimeout, options?.lockTimeout],
    [25, 2_000, 60_000, 500],
  )
  const bare = parsePostgresUrl('postgres://[::1]')
  assert.deepEqual(
    [bare?.host, bare?.port, bare?.user, bare?.password, bare?.database],
    ['::1', 5432, null, null, null],
  )
  assert.equal(parsePostgresUrl('postgres://%2Frun%2Fpostgresql/g')?.host, '/run/postgresql')
})

test('connections to other machines verify TLS unless it is disabled explicitly, and no sslmode skips verification', () => {
  const mode = (url: string) => parsePostgresUrl(url)?.tls?.mode ?? null
  assert.equal(mode(host), 'verify-full')
  assert.equal(mode(`${host}?sslmode=require`), 'verify-full')
  assert.equal(mode(`${host}?sslmode=verify-full&sslrootcert=ca.pem`), 'verify-full')
  assert.equal(mode(`${host}?sslmode=verify-ca&sslrootcert=ca.pem`), 'verify-ca')
  assert.equal(mode(`${host}?sslmode=disable`), null)

  for (const near of ['127.0.0.1', 'localhost', '[::1]', '%2Frun%2Fpostgresql']) {
    const url = `postgres://${near}/g`
    assert.deepEqual([mode(url), mode(`${url}?sslmode=require`)], [null, 'verify-full'])
    assert.equal(mode(`${url}?sslrootcert=ca.pem`), 'verify-full')
    assert.equal(isLocalPostgres(parsePostgresUrl(url) ?? assert.fail()), true)
  }
  assert.equal(isLocalPostgres(parsePostgresUrl(host) ?? assert.fail()), false)
})

test('unknown or invalid parts are rejected', () => {
  const faulty = [
    'sslmode=prefer',
    'sslmode=allow',
    'sslmode=no-verify',
    'sslmode=',
    'sslmode=disable&sslmode=require',
    'sslmode=disable&sslrootcert=ca.pem',
    'sslmode=verify-ca',
    'sslrootcert=',
    'sslcert=c.pem',
    'sslkey=k.pem',
    'pool=0',
    'pool=1001',
    'pool=1e1',
    'statement_timeout=0s',
    'lock_timeout=5000',
    'connect_timeout=2h',
    'ssl=true',
    'sslMode=require',
    'options=-csearch_path%3Dx',
    'host=other',
  ]
  for (const query of faulty) assert.equal(parsePostgresUrl(`${host}?${query}`), undefined, query)
  for (const url of [
    'postgres://',
    'postgres:///g',
    'postgres://db:x/g',
    'postgres://db/g/h',
    'postgres://db/g#x',
    'postgres://u:%zz@db/g',
    'postgres://%zz@db/g',
    'postgres://db/%zz',
    'postgres://a b/g',
    'postgres://db\\g',
    'http://db/g',
    'db',
  ]) {
    assert.equal(parsePostgresUrl(url), undefined, url)
  }
})
