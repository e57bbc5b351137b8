import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { forEachDatabase } from '../../test/support/app.ts'
import { commandFolder, commandFolderOn } from '../../test/support/cli.ts'
import { settings } from '../config.ts'
import { version } from '../kernel/version.ts'
import { banner } from './banner.ts'
import { loadConfig } from './deps.ts'

forEachDatabase('serve', (engine) => {
  test('the first line shows the server’s address, with the actual port for port 0', async () => {
    await using folder = await commandFolderOn(engine, { GATELODGE_ENUMERATION: 'explicit' })
    const { started, origin } = await folder.serve()
    const { listen, url } = started

    assert.equal(url, `http://localhost:${listen.port}`)
    assert.deepEqual(started, {
      event: 'started',
      name: 'gatelodge',
      version,
      url,
      listen,
      docs: `${url}/docs`,
      mailbox: `${url}/dev/mailbox`,
      mail_server: null,
      database: folder.database.replace('postgres@', ''),
      workers: 1,
      metrics: null,
      warnings: [`${settings.enumeration.env}=explicit: anyone can find out which addresses have accounts.`],
    })
    assert.equal((await fetch(`${origin}/healthz`)).status, 200)
  })

  test('metrics are served only on their own address; an address in use is reported, and nothing is left running', async () => {
    await using folder = await commandFolderOn(engine)
    const { started, origin } = await folder.serve('--metrics-listen', '127.0.0.1:0')
    const metrics = new URL(String(started.metrics))
    assert.equal((await fetch(`${origin}/metrics`)).status, 404)
    const figures = await (await fetch(metrics)).text()
    assert.match(figures, /^gatelodge_build_info\{version="[\d.]+",node="[\d.]+"\} 1$/m)
    assert.match(figures, /^process_resident_memory_bytes \d+$/m)

    await using other = await commandFolderOn(engine)
    const { status, stderr } = await other.run(`serve --listen 127.0.0.1:0 --metrics-listen ${metrics.host}`)
    assert.equal(status, 1)
    assert.match(stderr, /Another program is already listening there: stop it, or set GATELODGE_METRICS_LISTEN/)
    assert.equal((await fetch(`${(await other.serve()).origin}/healthz`)).status, 200)
  })

  test('a mail of the development mailbox is announced with its link', async () => {
    await using folder = await commandFolderOn(engine)
    const server = await folder.serve()
    await fetch(`${server.origin}/api/v1/auth/signup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'ada@example.com', password: 'quiet harbour 52' }),
    })
    const { event, text } = await server.next()
    assert.equal(event, 'mail')
    assert.ok(
      String(text).includes('ada@example.com') && String(text).includes(`${server.started.url}/verify-email?token=`),
    )
  })

  test('on a stop signal the server finishes the request in flight, accepts no other and exits with status 0', async () => {
    await using folder = await commandFolderOn(engine)
    const server = await folder.serve()
    const { host, port } = server.started.listen
    const socket = connect(port, host).setEncoding('utf8')
    const body = JSON.stringify({ email: 'ada@example.com' })
    const head = `POST /api/v1/auth/forgot-password HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n`
    // The server asks for the body only once it is handling the request.
    socket.write(`${head}expect: 100-continue\r\n\r\n`)
    const [asks] = await once(socket, 'data')
    assert.match(asks, /^HTTP\/1\.1 100 /)

    const ended = server.end('SIGTERM')
    assert.deepEqual(await server.next(), { event: 'stopping' })
    await assert.rejects(fetch(`${server.origin}/healthz`))
    socket.write(body)
    const [answer] = await once(socket, 'data')
    assert.match(answer, /^HTTP\/1\.1 200 /)
    assert.deepEqual(await server.next(), { event: 'stopped' })
    assert.equal(await ended, 0)
  })

  test('a signal forwarded by npm in addition to the terminal’s counts as one; a later signal ends the process immediately', async () => {
    await using folder = await commandFolderOn(engine)
    const listening = Promise.withResolvers<void>()
    let signal = () => {}
    let now = 0
    const exits: number[] = []
    const served = folder.run('serve --listen 127.0.0.1:0', {
      now: () => now,
      onSignal(listener) {
        signal = listener
      },
      exit: (status) => void exits.push(status),
      stdout: { write: (text) => void (text.includes('Next:') && listening.resolve()) },
    })
    await listening.promise

    signal()
    signal()
    assert.deepEqual(exits, [])
    now = 600
    signal()
    assert.deepEqual(exits, [1])
    assert.equal((await served).status, 0)
  })

  test('an uncaught error is logged and ends the process with status 1', async () => {
    await using folder = await commandFolderOn(engine)
    const listening = Promise.withResolvers<void>()
    let crash = (_: unknown) => {}
    let signal = () => {}
    const exits: number[] = []
    const served = folder.run('serve --listen 127.0.0.1:0', {
      onCrash(listener) {
        crash = listener
      },
      onSignal(listener) {
        signal = listener
      },
      exit: (status) => void exits.push(status),
      stdout: { write: (text) => void (text.includes('Next:') && listening.resolve()) },
    })
    await listening.promise

    crash(new TypeError('out of the blue', { cause: new Error('below') }))
    signal()
    const { stderr } = await served
    const line = stderr.split('\n').find((text) => text.includes('uncaught error'))
    const { level, err } = JSON.parse(line ?? '{}')
    assert.deepEqual(
      [level, err.type, err.message, err.cause.message],
      ['error', 'TypeError', 'out of the blue', 'below'],
    )
    assert.deepEqual(exits, [1])
  })

  test('forwarding headers of an untrusted peer cause one warning', async () => {
    await using folder = await commandFolderOn(engine)
    const listening = Promise.withResolvers<{ listen: { port: number } }>()
    let signal = () => {}
    const served = folder.run('serve --json --listen 127.0.0.1:0', {
      onSignal(listener) {
        signal = listener
      },
      stdout: { write: (text) => listening.resolve(JSON.parse(text)) },
    })
    const { port } = (await listening.promise).listen
    for (const client of ['192.0.2.1', '192.0.2.2']) {
      await fetch(`http://127.0.0.1:${port}/api/v1/auth/username-available?username=ada`, {
        headers: { 'x-forwarded-for': client },
      })
    }

    signal()
    const { stderr } = await served
    assert.equal(stderr.split('forwarding header from an untrusted peer').length, 2)
    assert.doesNotMatch(stderr, /192\.0\.2/)
  })

  test('an address that cannot be bound is reported with what to do, and the database is not locked', async () => {
    await using folder = await commandFolderOn(engine)
    await using other = await commandFolderOn(engine)
    const { port } = (await other.serve()).started.listen
    const cases: readonly (readonly [string, RegExp])[] = [
      [`127.0.0.1:${port}`, /Another program is already listening there/],
      ['192.0.2.1:3000', /no such address/],
      ['nowhere.invalid:3000', /The host name (?:does not exist|cannot be resolved)/],
    ]
    for (const [listen, reason] of cases) {
      const { status, stderr } = await folder.run(['serve', '--listen', listen])
      assert.equal(status, 1)
      assert.match(stderr, reason)
    }
    assert.equal((await fetch(`${(await folder.serve()).origin}/healthz`)).status, 200)
  })

  test('a server whose secret does not open the database refuses to start', async () => {
    await using folder = await commandFolderOn(engine)
    await folder.run('migrate up')
    await folder.json('user list')
    const { status, stderr } = await folder.run(['serve', '--listen', '127.0.0.1:0', '--secret', 'x'.repeat(32)])
    assert.equal(status, 1)
    assert.match(stderr, /GATELODGE_SECRET does not decrypt the keys/)
  })
})

test('a second server on one file is rejected until the first has exited, however it exited', async () => {
  await using folder = commandFolder()
  const first = await folder.serve()
  const { status, stderr } = await folder.run('serve --listen 127.0.0.1:0')
  assert.equal(status, 1)
  assert.match(stderr, /^gatelodge: Another server is already running on this SQLite file/)
  assert.equal((await folder.run('user list')).status, 0)

  await first.end('SIGKILL')
  const second = await folder.serve()
  assert.equal((await fetch(`${second.origin}/healthz`)).status, 200)
})

test('the banner shows no credentials, and the next step for the registration mode', () => {
  const env = {
    GATELODGE_DATABASE: 'postgres://gate:opensesame@db.example:5433/gatelodge',
    GATELODGE_SMTP_URL: 'smtps://gate:opensesame@mail.example',
    GATELODGE_REGISTRATION: 'admin',
    GATELODGE_LISTEN: '[::1]:3000',
  }
  const io = { env, cwd: '/', readFile: () => '' } as unknown as Parameters<typeof loadConfig>[0]['io']
  const { config } = loadConfig({ io, flags: {}, configFile: undefined })
  const { text, json } = banner({ config, address: config.listen, metrics: null, warnings: [] })
  for (const part of [
    'postgres://db.example:5433/gatelodge',
    'mail.example:465',
    '[::1]:3000',
    'gatelodge user create',
  ]) {
    assert.ok(text.includes(part), part)
  }
  assert.doesNotMatch(text + JSON.stringify(json), /opensesame/)
})
