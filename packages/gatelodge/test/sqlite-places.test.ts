import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  closeSync,
  cpSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { createAuth } from '../src/library/auth.ts'
import { boundProgram, runBound } from './support/bound.ts'
import { type CommandFolder, commandFolder } from './support/cli.ts'

/** One fault that keeps a server from using its SQLite database. */
interface Kind {
  readonly name: string
  /** Causes the fault and returns the path that must be named. `file` is a database that was used before. */
  readonly make: (file: string) => string
  readonly says: RegExp
  /** The advice expected for the returned path. */
  readonly advice: (place: string) => string
  /** Wraps the program's command, for a fault that needs its own mount. */
  readonly wrapper?: (folder: string) => readonly string[]
}

const isRoot = process.getuid?.() === 0
const foreigner = 4_242

/** Makes a file belong to another user or, where that takes root, removes all of its permissions. */
function makeForeign(file: string): string {
  writeFileSync(file, '', { mode: 0o600 })
  if (isRoot) chownSync(file, foreigner, foreigner)
  else chmodSync(file, 0)
  return file
}

const foreignAdvice = (right: string) => (place: string) =>
  isRoot
    ? `it belongs to user ${foreigner}, but this program runs as user 0: chown 0 ${place}`
    : `chmod u+${right} ${place}`

/** Returns a wrapper that mounts something for the program only. The mount disappears with the program. */
function mounted(script: string): (folder: string) => readonly string[] {
  const user = isRoot ? [] : ['--user', '--map-root-user']
  return (folder) => ['unshare', ...user, '--mount', 'sh', '-c', `${script} && exec "$@"`, folder]
}

const rights: readonly Kind[] = [
  {
    name: 'a folder without the right to write',
    make: (file) => withMode(dirname(file), 0o500),
    says: /is read-only for this user, which lacks the permission to write \(EACCES\)/,
    advice: (folder) => `chmod u+w ${folder}`,
  },
  {
    name: 'a folder that cannot be entered',
    make: (file) => withMode(dirname(file), 0o600),
    says: /cannot be entered by this user, which lacks the permission to enter \(EACCES\)/,
    advice: (folder) => `chmod u+x ${folder}`,
  },
  {
    name: 'a folder above that cannot be entered',
    make: (file) => withMode(dirname(dirname(file)), 0o600),
    says: /cannot be entered by this user/,
    advice: (folder) => `chmod u+x ${folder}`,
  },
  {
    name: 'a folder that is missing and cannot be created',
    make(file) {
      rmSync(dirname(file), { recursive: true })
      return withMode(dirname(dirname(file)), 0o500)
    },
    says: /data cannot be created: .* is read-only for this user/,
    advice: (folder) => `chmod u+w ${folder}`,
  },
  {
    name: 'a file without any right',
    make: (file) => withMode(file, 0),
    says: /gatelodge\.db cannot be read by this user, which lacks the permission to read \(EACCES\)/,
    advice: (file) => `chmod u+r ${file}`,
  },
  {
    name: 'a log of another user',
    make: (file) => makeForeign(`${file}-wal`),
    says: /gatelodge\.db-wal cannot be read by this user/,
    advice: foreignAdvice('r'),
  },
  {
    name: 'an index of the log of another user',
    make: (file) => makeForeign(`${file}-shm`),
    says: /gatelodge\.db-shm cannot be read by this user/,
    advice: foreignAdvice('r'),
  },
  {
    name: 'a server lock of another user',
    make: (file) => makeForeign(`${file}.server-lock`),
    says: /gatelodge\.db\.server-lock cannot be read by this user/,
    advice: foreignAdvice('r'),
  },
]

const plainKinds: readonly Kind[] = [
  {
    name: 'a folder that is a file',
    make(file) {
      rmSync(dirname(file), { recursive: true })
      writeFileSync(dirname(file), '')
      return dirname(file)
    },
    says: /is a file, not a folder \(ENOTDIR\)/,
    advice: () => 'correct the path',
  },
  {
    name: 'a file that is a folder',
    make(file) {
      rmSync(file)
      mkdirSync(file)
      return file
    },
    says: /is a folder, not a file \(EISDIR\)/,
    advice: () => 'correct the path',
  },
  {
    name: 'a file that is a link to nowhere',
    make(file) {
      rmSync(file)
      symlinkSync(join(dirname(file), 'gone/gatelodge.db'), file)
      mkdirSync(`${file}-wal`)
      return writeFor(join(dirname(file), 'gone'))
    },
    says: /gone is a file, not a folder/,
    advice: () => 'correct the path',
  },
  {
    name: 'a folder that is a link to nowhere',
    make(file) {
      rmSync(dirname(file), { recursive: true })
      symlinkSync('gone/deep', dirname(file))
      return dirname(file)
    },
    says: /is a link to a file that does not exist \(ENOENT\)/,
    advice: () => 'correct the path',
  },
  {
    name: 'a folder that is a link to itself',
    make(file) {
      rmSync(dirname(file), { recursive: true })
      symlinkSync(dirname(file), dirname(file))
      return dirname(file)
    },
    says: /is a link to a file that does not exist|cannot be reached \(ELOOP\)/,
    advice: () => 'correct the path',
  },
  {
    name: 'a log that is a folder',
    make(file) {
      mkdirSync(`${file}-wal`)
      return `${file}-wal`
    },
    says: /gatelodge\.db-wal is a folder, not a file/,
    advice: () => 'correct the path',
  },
  {
    name: 'a file of something else',
    make: (file) => writeFor(file, 'a text that is long enough to be looked at as the header of a database'),
    says: /gatelodge\.db is not a SQLite database, or is encrypted \(SQLITE_NOTADB\)/,
    advice: () => 'restore the backup',
  },
  {
    name: 'a damaged file',
    make(file) {
      const pages = openSync(file, 'r+')
      writeSync(pages, Buffer.alloc(statSync(file).size - 200, 0xff), 0, undefined, 100)
      closeSync(pages)
      return file
    },
    says: /gatelodge\.db is damaged \(SQLITE_CORRUPT\)/,
    advice: () => 'restore the last backup',
  },
]

const mounts: readonly Kind[] = [
  {
    name: 'a file system that is mounted read-only',
    make: (file) => dirname(file),
    says: /is on a file system that is mounted read-only \(EROFS\)/,
    advice: () => 'remount it for reading and writing',
    wrapper: mounted('mount --bind "$0/data" "$0/data" && mount -o remount,bind,ro "$0/data"'),
  },
  {
    name: 'a disk without room',
    make(file) {
      rmSync(dirname(file), { recursive: true })
      mkdirSync(dirname(file), { mode: 0o700 })
      return file
    },
    says: /the disk of .*gatelodge\.db.* is full/,
    advice: (file) => `df ${dirname(file)}`,
    wrapper: mounted('mount -t tmpfs -o size=12k,mode=700 tmpfs "$0/data"'),
  },
]

/** Whether this process may mount in a namespace of its own; containers often forbid it. */
const mayMount =
  spawnSync('unshare', [
    ...(isRoot ? [] : ['--user', '--map-root-user']),
    '--mount',
    'mount',
    '-t',
    'tmpfs',
    'none',
    '/tmp',
  ]).status === 0

let template: CommandFolder
before(async () => {
  template = commandFolder()
  await template.json('user list')
})
after(() => template[Symbol.asyncDispose]())

for (const { name, make, says, advice, wrapper } of [...rights, ...plainKinds, ...(mayMount ? mounts : [])]) {
  test(`${name} is named at the start and by doctor, with what to do`, async () => {
    await using folder = usedFolder()
    const place = make(join(folder.path, 'data/gatelodge.db'))
    const run = plainKinds.some((kind) => kind.name === name)
      ? folder.run
      : (args: readonly string[]) => runBound(folder, args, wrapper?.(folder.path))
    const started = await run(['serve', '--listen', '127.0.0.1:0'])
    const examined = await run(['doctor', '--json', '--public-url', 'http://localhost:9'])
    free(folder)

    assert.equal(started.status, 1, started.stderr)
    assert.match(started.stderr, /^gatelodge: .+\n$/, 'one line')
    assert.match(started.stderr, says)
    for (const part of [place, advice(place), 'What to do: ']) assert.ok(started.stderr.includes(part), started.stderr)
    assert.doesNotMatch(started.stderr, /[Aa]nother server/)

    if (name === 'a disk without room') return // doctor creates no file
    assert.equal(examined.status, 1, examined.stdout)
    const { checks } = JSON.parse(examined.stdout) as {
      checks: { check: string; says: string; advice: string | null }[]
    }
    const database = checks.find(({ check }) => check === 'database')
    assert.match(String(database?.says), says)
    assert.ok(database?.says.includes(place), JSON.stringify(database))
    assert.ok(database?.advice?.includes(advice(place)), JSON.stringify(database))
  })
}

test('every command that opens, creates or copies a database names the right that is missing', async () => {
  await using folder = usedFolder()
  mkdirSync(join(folder.path, 'locked'), { mode: 0o500 })
  const locked = [
    'backup locked/copy.db',
    'copy --to sqlite:locked/copy.db',
    'migrate up --database sqlite:locked/new.db',
  ]
  for (const command of locked) {
    const { status, stderr } = await runBound(folder, command.split(' '))
    assert.equal(status, 1, command)
    assert.match(stderr, /^gatelodge: .*locked is read-only for this user.*chmod u\+w .*locked\n$/, command)
  }

  chmodSync(join(folder.path, 'data'), 0)
  for (const command of ['user list', 'backup copy.db', 'copy --to sqlite:copy.db', 'migrate status']) {
    const { status, stderr } = await runBound(folder, command.split(' '))
    assert.equal(status, 1, command)
    assert.match(stderr, /^gatelodge: .*data cannot be entered by this user.*chmod u\+x .*data\n$/, command)
  }
  free(folder)
})

test('a missing folder of a backup is named', async () => {
  await using folder = usedFolder()
  const { status, stderr } = await folder.run('backup nowhere/copy.db')
  assert.equal(status, 1)
  assert.match(stderr, /The backup .*copy\.db cannot be used: the folder .*nowhere does not exist \(ENOENT\).*mkdir -p/)
})

test('a secret that cannot be read or created is named at the start and by doctor', async () => {
  await using folder = usedFolder()
  const secret = join(folder.path, 'data/secret')
  const doctor = ['doctor', '--public-url', 'http://localhost:9']
  chmodSync(secret, 0)
  const unreadable = await runBound(folder, ['user', 'list'])
  const examined = await runBound(folder, doctor)
  chmodSync(secret, 0o600)
  for (const text of [unreadable.stderr, examined.stdout])
    assert.match(text, /data\/secret cannot be read by this user/)
  for (const text of [unreadable.stderr, examined.stdout]) assert.ok(text.includes(`chmod u+r ${secret}`), text)
  assert.deepEqual([unreadable.status, examined.status], [1, 1])

  writeFileSync(join(folder.path, 'taken'), '')
  for (const command of ['user list', doctor.join(' ')]) {
    const { status, stdout, stderr } = await folder.run(`${command} --data-dir taken`)
    assert.equal(status, 1, command)
    assert.match(stdout + stderr, /taken is a file, not a folder/)
  }
})

test('a host program of the library gets the same message', async () => {
  await using folder = usedFolder()
  const file = join(folder.path, 'data/gatelodge.db')
  writeFileSync(file, 'a text that is long enough to be looked at as the header of a database')
  const settings = { database: `sqlite:${file}`, dataDir: join(folder.path, 'data') }
  await assert.rejects(createAuth({ settings }), /gatelodge\.db is not a SQLite database/)
  await assert.rejects(
    createAuth({ settings: { ...settings, database: `sqlite:${file}/x.db` } }),
    /is a file, not a folder/,
  )
})

test('a file that another program locks is neither damaged nor held by a server', async () => {
  await using folder = commandFolder()
  const path = join(folder.path, 'plain.db')
  const other = new DatabaseSync(path)
  other.exec('create table t (a); begin exclusive')
  const { status, stderr } = await folder.run('migrate up --database sqlite:plain.db')
  other.close()
  assert.equal(status, 1)
  assert.match(stderr, /plain\.db is locked by another program/)
})

test('a database behind a link is used where it is', async () => {
  await using folder = usedFolder()
  mkdirSync(join(folder.path, 'linked'))
  symlinkSync('../data/gatelodge.db', join(folder.path, 'linked/gatelodge.db'))
  const linked = ['--database', 'sqlite:linked/gatelodge.db']
  const server = await folder.serve(...linked)
  assert.equal((await fetch(`${server.origin}/readyz`)).status, 200)
  assert.match((await folder.run('serve --listen 127.0.0.1:0')).stderr, /Another server is already running/)
  assert.equal((await folder.run(['user', 'create', '--email', 'ada@example.com', '--invite', ...linked])).status, 0)
})

test('a file that is read-only is named in the log of the server that starts on it, and by the command that cannot write', async () => {
  await using folder = usedFolder()
  chmodSync(join(folder.path, 'data/gatelodge.db'), 0o400)
  const names =
    /gatelodge\.db is read-only for this user, which lacks the permission to write \(EACCES\)\. What to do: chmod u\+w/
  const { stderr } = await runBound(folder, ['user', 'create', '--email', 'ada@example.com', '--invite'])
  assert.match(stderr, /^gatelodge: SQLite: SQLITE_READONLY: .+\n$/)
  assert.match(stderr, names)

  const { program, argv, options } = boundProgram(folder, ['serve', '--listen', '127.0.0.1:0'])
  const server = spawn(program, argv, { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(server, 'exit')
  const lines = createInterface({ input: server.stderr })
  const [first] = await once(lines, 'line')
  server.kill('SIGKILL')
  await ended
  const { level, msg } = JSON.parse(String(first)) as { level: string; msg: string }
  assert.equal(level, 'error')
  assert.match(msg, /^the database cannot be written: /)
  assert.match(msg, names)
})

/** Returns a folder with a database that was used before. */
function usedFolder(): CommandFolder {
  const folder = commandFolder()
  cpSync(join(template.path, 'data'), join(folder.path, 'data'), { recursive: true })
  return folder
}

function withMode(place: string, mode: number): string {
  chmodSync(place, mode)
  return place
}

function writeFor(place: string, text = ''): string {
  writeFileSync(place, text)
  return place
}

/** Restores permissions so that a user other than root can delete the folder. */
function free({ path }: CommandFolder): void {
  chmodSync(path, 0o700)
  spawnSync('chmod', ['-R', 'u+rwX', path])
}
