import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { AuthError, createAuth } from 'gatelodge'

const port = Number(process.env.PORT ?? 3000)
const auth = await createAuth({
  settings: { publicUrl: `http://localhost:${port}`, database: 'sqlite:./gatelodge.db', dataDir: '.' },
})

const answer = getRequestListener(async (request, { incoming }) => {
  if (new URL(request.url).pathname !== '/hello') {
    return auth.fetch(request, { peer: String(incoming.socket.remoteAddress) })
  }
  try {
    const user = await auth.api.getLoggedInUser(auth.api.getToken(request.headers.get('authorization')))
    return new Response(`Hello ${user.email}\n`)
  } catch (error) {
    return new Response('Sign in first\n', { status: error instanceof AuthError ? 401 : 500 })
  }
})
const server = createServer((incoming, outgoing) => void answer(incoming, outgoing))
server.listen(port, '127.0.0.1', () => console.log(`listening on http://localhost:${port}`))
process.once('SIGTERM', () => server.close(() => auth.close()))
