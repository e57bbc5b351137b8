import { authOf, requireAuth } from '@gatelodge/client/fastify'
import { type Auth, createResourceServer } from '@gatelodge/client/server'
import fastify from 'fastify'

const { ISSUER: issuer = 'http://localhost:3000', PORT: port = '4000' } = process.env
const { CLIENT_ID: clientId, CLIENT_SECRET: clientSecret } = process.env

// With the credentials of a service client, every token is checked with Gatelodge: a sign-out takes effect immediately, and API tokens are accepted. Without
// them tokens are verified with Gatelodge's public keys: no request per token, and a token stays valid until it expires.
const gatelodge = createResourceServer({ issuer, clientId, clientSecret })

// Users may access what is theirs. Services, and API tokens of users, need the scope.
const mayRead = { onRequest: requireAuth(gatelodge, { scope: 'notes:read', orUser: true }) }
const mayWrite = { onRequest: requireAuth(gatelodge, { scope: 'notes:write', orUser: true }) }
const mayExport = { onRequest: requireAuth(gatelodge, { scope: 'notes:read' }) }
const mayReadAll = { onRequest: requireAuth(gatelodge, { role: 'administrator' }) }

interface Note {
  readonly owner: string
  readonly text: string
}

const notes: Note[] = []
const notesOf = (owner: string) => notes.filter((note) => note.owner === owner)

/** Returns the caller: a user or a service. */
function callerOf(auth: Auth | null): Auth {
  if (!auth) throw new TypeError('no guard stands before this route, or one that skips')
  return auth
}

const app = fastify({ bodyLimit: 16 * 1024 })

app.get('/', async () => ({ service: 'notes', issuer }))

app.get('/notes', mayRead, async (request) => ({ notes: notesOf(callerOf(authOf(request)).sub) }))

app.post<{ Body: { text?: unknown } | undefined }>('/notes', mayWrite, async (request, reply) => {
  const text = request.body?.text
  if (typeof text !== 'string' || text === '') {
    return reply.code(400).send({ detail: 'Send a text: {"text": "..."}' })
  }
  const note = { owner: callerOf(authOf(request)).sub, text }
  notes.push(note)
  return reply.code(201).send(note)
})

app.get('/admin/notes', mayReadAll, async () => ({ notes }))

// For programs. A service acts for itself and gets everything; an API token acts for a user and gets what is theirs.
app.get('/export', mayExport, async (request) => {
  const { kind, sub } = callerOf(authOf(request))
  return { notes: kind === 'client' ? notes : notesOf(sub) }
})

await app.listen({ port: Number(port), host: '127.0.0.1' })
console.log(`listening on http://localhost:${port}`)
