import { createServer } from 'node:http'
import { createAuth, toNodeHandler } from 'gatelodge'

const port = Number(process.env.PORT ?? 3000)
const auth = await createAuth({ settings: { publicUrl: `http://localhost:${port}` } })
const gatelodge = toNodeHandler(auth)

const server = createServer(async (request, response) => {
  if (request.url !== '/hello' && request.url !== '/home') return gatelodge(request, response)

  const found = await auth.api.getSession(request)
  response.setHeader('cache-control', 'no-store')
  if (request.url === '/hello') {
    if (found) response.end(`Hello ${found.user.email}\n`)
    else response.writeHead(401).end('Sign in first\n')
  } else {
    if (found) response.end(`Welcome home, ${found.user.email}\n`)
    else response.writeHead(303, { location: '/login?next=/home' }).end()
  }
})
server.listen(port, '127.0.0.1', () => console.log(`listening on http://localhost:${port}`))
process.once('SIGTERM', () => server.close(() => auth.close()))
