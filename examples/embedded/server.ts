import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { AuthError, createAuth } from 'gatelodge'

const port = Number(process.env.PORT ?? 3000)
const auth = await createAuth({ settings: { publicUrl: `http://localhost:${port}` } })

/** For programs: authenticates by access token and calls operations as functions. */
async function hello(request: Request): Promise<Response> {
  try {
    const user = await auth.api.getLoggedInUser(auth.api.getToken(request.headers.get('authorization')))
    return new Response(`Hello ${user.email}\n`)
  } catch (error) {
    return new Response('Sign in first\n', { status: error instanceof AuthError ? 401 : 500 })
  }
}

/** For browsers: authenticates by the cookie of the hosted pages. `auth.fetch` finds the user without a network request. */
async function home(request: Request, peer: string): Promise<Response> {
  const headers = { cookie: request.headers.get('cookie') ?? '' }
  const asked = await auth.fetch(new Request(new URL('/api/v1/auth/session', request.url), { headers }), { peer })
  if (asked.status === 401) return new Response(null, { status: 303, headers: { location: '/login?next=/home' } })
  if (!asked.ok) return new Response('Try again\n', { status: 503 })

  const { user } = (await asked.json()) as { user: { email: string } } // as documented for this route
  return new Response(`Welcome home, ${user.email}\n`, { headers: { 'cache-control': 'no-store' } })
}

const answer = getRequestListener((request, { incoming }) => {
  const { pathname } = new URL(request.url)
  const peer = String(incoming.socket.remoteAddress)
  if (pathname === '/hello') return hello(request)
  if (pathname === '/home') return home(request, peer)
  return auth.fetch(request, { peer })
})
const server = createServer((incoming, outgoing) => void answer(incoming, outgoing))
server.listen(port, '127.0.0.1', () => console.log(`listening on http://localhost:${port}`))
process.once('SIGTERM', () => server.close(() => auth.close()))
