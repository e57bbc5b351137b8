import { type AuthVariables, requireAuth } from '@gatelodge/client/hono'
import { type Auth, createResourceServer } from '@gatelodge/client/server'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'

const { ISSUER: issuer = 'http://localhost:3000', PORT: port = '4000' } = process.env
const { CLIENT_ID: clientId, CLIENT_SECRET: clientSecret } = process.env

// With the credentials of a service client, every token is checked with Gatelodge: a sign-out takes effect immediately, and API tokens are accepted. Without
// them tokens are verified with Gatelodge's public keys: no request per token, and a token stays valid until it expires.
const gatelodge = createResourceServer({ issuer, clientId, clientSecret })

// Users may access what is theirs. Services, and API tokens of users, need the scope.
const mayRead = requireAuth(gatelodge, { scope: 'notes:read', orUser: true })
const mayWrite = requireAuth(gatelodge, { scope: 'notes:write', orUser: true })
const mayExport = requireAuth(gatelodge, { scope: 'notes:read' })
const mayReadAll = requireAuth(gatelodge, { role: 'administrator' })

interface Note {
  readonly owner: string
  readonly text: string
}

const notes: Note[] = []
const notesOf = (owner: string) => notes.filter((note) => note.owner === owner)

/** Returns the caller: a user or a service. */
function callerOf(auth: Auth | null | undefined): Auth {
  if (!auth) throw new TypeError('no guard stands before this route, or one that skips')
  return auth
}

const app = new Hono<{ Variables: AuthVariables }>()

app.get('/', (c) => c.json({ service: 'notes', issuer }))

app.get('/notes', mayRead, (c) => c.json({ notes: notesOf(callerOf(c.get('auth')).sub) }))

// The guard comes first, so that the body of an unauthorized request is not read.
app.post('/notes', mayWrite, bodyLimit({ maxSize: 16 * 1024 }), async (c) => {
  const body: { text?: unknown } | null = await c.req.json().catch(() => null)
  const text = body?.text
  if (typeof text !== 'string' || text === '') return c.json({ detail: 'Send a text: {"text": "..."}' }, 400)

  const note = { owner: callerOf(c.get('auth')).sub, text }
  notes.push(note)
  return c.json(note, 201)
})

app.get('/admin/notes', mayReadAll, (c) => c.json({ notes }))

// For programs. A service acts for itself and gets everything; an API token acts for a user and gets what is theirs.
app.get('/export', mayExport, (c) => {
  const { kind, sub } = callerOf(c.get('auth'))
  return c.json({ notes: kind === 'client' ? notes : notesOf(sub) })
})

serve({ fetch: app.fetch, port: Number(port), hostname: '127.0.0.1' }, () => {
  console.log(`listening on http://localhost:${port}`)
})
