import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate authority and a certificate for `localhost` that it signed. */
export interface TestAuthority {
  /** The path of the authority's own certificate, in PEM. */
  readonly file: string
  readonly server: { readonly cert: string; readonly key: string }
}

/** Creates an authority with openssl, because Node.js cannot issue certificates. */
export function testAuthority(): TestAuthority {
  const folder = mkdtempSync(join(tmpdir(), 'gatelodge-tls-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const openssl = (command: string) => execFileSync('openssl', command.split(' '), { cwd: folder, stdio: 'pipe' })
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
  openssl(`req -x509 ${key} -keyout ca.key -out ca.pem -days 2 -subj /CN=authority`)
  openssl(`req ${key} -keyout server.key -out server.csr -subj /CN=localhost`)
  writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:localhost')
  openssl('x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem')
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')
  return { file: join(folder, 'ca.pem'), server: { cert: read('server.pem'), key: read('server.key') } }
}
