import { once } from 'node:events'
import Provider from 'oidc-provider'

// oidc-provider as its documentation sets it up, with an in-memory store; reports the credentials of one client and a token issued to it.
const [, , port] = process.argv
const secret = 'a secret of the bench, known to everybody'
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: 'bench',
      client_secret: secret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
  ],
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    devInteractions: { enabled: false },
  },
})
const server = provider.listen(Number(port), '127.0.0.1')
await once(server, 'listening')

const client = `Basic ${Buffer.from(`bench:${encodeURIComponent(secret)}`).toString('base64')}`
const answer = await fetch(`http://127.0.0.1:${port}/token`, {
  method: 'POST',
  headers: { authorization: client },
  body: new URLSearchParams({ grant_type: 'client_credentials' }),
})
const { access_token: token } = await answer.json()
process.send?.({ client, token })
