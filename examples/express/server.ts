import { authOf, requireAuth } from '@gatelodge/client/express'
import { type Auth, createResourceServer } from '@gatelodge/client/server'
import express from 'express'

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
function callerOf(auth: Auth | null): Auth {
  if (!auth) throw new TypeError('no guard stands before this route, or one that skips')
  return auth
}

const app = express()

app.get('/', (_request, response) => void response.json({ service: 'notes', issuer }))

app.get('/notes', mayRead, (request, response) => {
  response.json({ notes: notesOf(callerOf(authOf(request)).sub) })
})

// The guard comes first, so that the body of an unauthorized request is not read.
app.post('/notes', mayWrite, express.json({ limit: '16kb' }), (request, response) => {
  const text: unknown = request.body?.text
  if (typeof text !== 'string' || text === '') {
    response.status(400).json({ detail: 'Send a text: {"text": "..."}' })
    return
  }
  const note = { owner: callerOf(authOf(request)).sub, text }
  notes.push(note)
  response.status(201).json(note)
})

app.get('/admin/notes', mayReadAll, (_request, response) => void response.json({ notes }))

// For programs. A service acts for itself and gets everything; an API token acts for a user and gets what is theirs.
app.get('/export', mayExport, (request, response) => {
  const { kind, sub } = callerOf(authOf(request))
  response.json({ notes: kind === 'client' ? notes : notesOf(sub) })
})

app.listen(Number(port), '127.0.0.1', (error) => {
  if (error) throw error
  console.log(`listening on http://localhost:${port}`)
})
