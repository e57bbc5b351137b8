import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachDatabase, type TestApp, testApp } from '../../test/support/app.ts'
import { record } from '../domain/audit.ts'
import { systemActor } from '../kernel/actor.ts'
import { transact } from '../store/unit-of-work.ts'
import { createMetrics } from './metrics.ts'
import { metricsEndpoint } from './metrics-endpoint.ts'
import { createMetricsSum } from './metrics-sum.ts'

/** Nothing listens there: the composition counts, and the server would serve it. */
const env = { GATELODGE_METRICS_LISTEN: '127.0.0.1:9' }

forEachDatabase('metrics', (engine) => {
  test('requests are counted under their route template, and nothing a request said appears', async () => {
    await using app = await testApp({ engine, env })
    const cookie = await app.cookie(await app.user())
    await app.delete('/me/sessions/01900000-0000-7000-8000-000000000000', { cookie })
    await app.get('/nowhere/canary-path')
    await app.ask('PUT', '/session', {})
    await app.post('/signin', { email: 'canary@example.com', password: 'canary-password' })
    const figures = await read(app)

    assert.equal(figures.get(count('DELETE', '/api/v1/auth/me/sessions/:id', '4xx')), 1)
    assert.equal(figures.get(count('POST', '/api/v1/auth/signin', '2xx')), 1)
    assert.equal(figures.get(count('POST', '/api/v1/auth/signin', '4xx')), 1)
    assert.equal(figures.get(count('any', 'none', '4xx')), 2)
    assert.doesNotMatch(await text(app), /canary|01900000-|example\.com/)
  })

  test('sign-ins count by outcome, and events and failures by name', async () => {
    await using app = await testApp({ engine, env })
    const ada = await app.user()
    await app.tokens(ada)
    await app.post('/signin', { email: ada.email, password: 'wrong' })
    for (let guess = 0; guess < 31; guess += 1)
      await app.post('/signin', { email: `nobody${guess}@example.com`, password: 'wrong' }, { ip: '203.0.113.9' })
    const figures = await read(app)

    const outcome = (name: string) => figures.get(`gatelodge_signins_total{outcome="${name}"}`)
    assert.deepEqual([outcome('success'), outcome('invalid_credentials'), outcome('rate_limited')], [1, 31, 1])
    assert.equal(figures.get('gatelodge_events_total{event="signin.failed"}'), 31)
    assert.equal(figures.get('gatelodge_limits_exceeded_total{limit="signin.address"}'), 1)
    assert.equal(figures.get('gatelodge_errors_total{code="rate_limited"}'), 1)
  })

  test('events that were rolled back are not counted', async () => {
    await using app = await testApp({ engine, env })
    const exported = (undo: boolean) =>
      transact(app.deps, systemActor('job', 'test'), async (work) => {
        await record(work, 'user.exported', null, {})
        if (undo) throw new Error('undone')
      })
    await assert.rejects(exported(true), /undone/)
    assert.equal((await read(app)).get('gatelodge_events_total{event="user.exported"}'), undefined)
    await exported(false)
    assert.equal((await read(app)).get('gatelodge_events_total{event="user.exported"}'), 1)
  })

  test('the outbox, the hash queue, the cache and the pool are reported as they are', async () => {
    await using app = await testApp({ engine, env })
    const cookie = await app.cookie(await app.user())
    app.deps.store.listen(app.deps.log)
    while (!app.deps.store.seesForeignCommits()) await app.get('/session', { cookie })
    for (let round = 0; round < 3; round += 1) await app.get('/session', { cookie })
    await app.composition.deliverMail()
    await app.post('/forgot-password', { email: 'nobody@example.com' })
    app.clock.advance(90_000)
    const figures = await read(app)

    assert.equal(figures.get('gatelodge_mails{state="requested"}'), 1)
    assert.equal(figures.get('gatelodge_mails_oldest_due_seconds'), 90)
    assert.equal(figures.get('gatelodge_password_hashing{state="running"}'), 0)
    assert.equal(figures.get('gatelodge_password_hashing_refused_total'), 0)
    assert.ok(Number(figures.get('gatelodge_session_cache_total{result="hit"}')) >= 2)
    assert.ok(Number(figures.get('gatelodge_session_cache_total{result="miss"}')) >= 1)
    assert.equal(figures.get('gatelodge_session_cache_trusted'), 1)
    assert.equal(figures.has('gatelodge_database_pool{state="open"}'), engine === 'postgres')
    assert.equal(figures.get('gatelodge_database_up'), 1)
  })

  test('a server that is stopping is not ready, but requests still open get their answers', async () => {
    await using app = await testApp({ engine })
    assert.equal((await app.get('/readyz')).status, 200)
    app.composition.drain()
    assert.equal((await app.get('/readyz')).code, 'service_unavailable')
    assert.equal((await app.get('/healthz')).status, 200)
  })

  test('nothing is counted unless metrics are enabled', async () => {
    await using app = await testApp({ engine })
    assert.equal(app.composition.metrics, null)
  })

  test('without the database, all figures but those of mails are reported', async () => {
    const app = await testApp({ engine, env })
    await app.get('/healthz')
    await app.composition.close()
    const figures = await read(app)
    assert.equal(figures.get('gatelodge_database_up'), 0)
    assert.equal(figures.has('gatelodge_mails{state="requested"}'), false)
    assert.equal(figures.get(count('GET', '/healthz', '2xx')), 1)
  })

  test('figures of processes are summed, except those of the outbox, and counts outlive their process', async () => {
    await using app = await testApp({ engine, env })
    await app.post('/forgot-password', { email: 'nobody@example.com' })
    const figures = (await app.composition.metrics?.figures()) ?? []
    const sum = createMetricsSum()
    for (const process of [1, 2, 3]) sum.add(process, figures)
    const asked = count('POST', '/api/v1/auth/forgot-password', '2xx')
    let told = parse(await sum.text())
    assert.deepEqual([told.get(asked), told.get('gatelodge_processes')], [3, 3])
    assert.equal(told.get('gatelodge_mails{state="requested"}'), 1)

    await sum.left(1)
    await sum.left(2)
    told = parse(await sum.text())
    assert.deepEqual([told.get(asked), told.get('gatelodge_processes')], [3, 1])
  })
})

test('the endpoint serves one path, for reading only', async () => {
  const endpoint = metricsEndpoint(async () => 'figures')
  const ask = async (path: string, method = 'GET') => endpoint(new Request(`http://x${path}`, { method }))
  assert.equal(await (await ask('/metrics?x=1')).text(), 'figures')
  assert.deepEqual([(await ask('/')).status, (await ask('/metrics', 'POST')).status], [404, 405])
})

test('every application metric has our prefix, a description, and the suffix `_total` if it is a counter', () => {
  for (const { name, type, help } of createMetrics().describe()) {
    assert.match(name, /^gatelodge_[a-z_]+$/)
    assert.equal(name.endsWith('_total'), type === 'counter', name)
    assert.match(help, /^.{10,}\.$/, name)
  }
})

function count(method: string, route: string, status: string): string {
  return `gatelodge_http_request_duration_seconds_count{method="${method}",route="${route}",status="${status}"}`
}

async function text(app: TestApp): Promise<string> {
  return (await app.composition.metrics?.text()) ?? ''
}

async function read(app: TestApp): Promise<ReadonlyMap<string, number>> {
  return parse(await text(app))
}

function parse(figures: string): ReadonlyMap<string, number> {
  const lines = figures.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]))
}
