import { createServer } from 'node:http'

// The floor: what node:http costs if the program behind it does nothing.
const body = '{"hello":"world"}'
const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }

createServer((_request, response) => {
  response.writeHead(200, headers)
  response.end(body)
}).listen(Number(process.argv[2]), '127.0.0.1')
