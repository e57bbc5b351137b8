import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { DatabaseSync } from 'node:sqlite'

// The minimum cost of a session check without a cache: SHA-256 of the secret, one prepared SELECT, JSON.
const database = new DatabaseSync(process.argv[3] ?? '', { readOnly: true })
const find = database.prepare(`
  select s.id, s.secret_hash, s.created_at, s.last_seen_at, s.expires_at, u.id as user_id, u.email, u.username, u.first_name, u.last_name, u.created_at as joined
  from sessions s join users u on u.id = s.user_id where s.id = ? and u.is_active = 1`)

createServer((request, response) => {
  const [, id = '', secret = ''] = /gatelodge=([\w-]+)\.([\w-]+)/.exec(request.headers.cookie ?? '') ?? []
  const row = find.get(id)
  const hash = createHash('sha256').update(secret).digest('base64url')
  const known = row !== undefined && row.secret_hash === hash
  const body = JSON.stringify(known ? { user: row } : { error: 'unknown' })
  response.writeHead(known ? 200 : 401, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  })
  response.end(body)
}).listen(Number(process.argv[2]), '127.0.0.1')
