import { z } from 'zod'
import type { Deps } from '../../domain/deps.ts'
import { etagOf, withEtag } from '../../http/etag.ts'
import { buildOpenApi } from '../../http/openapi.ts'
import { type Route, route } from '../../http/route.ts'
import { AuthError } from '../../kernel/errors.ts'
import { version } from '../../kernel/version.ts'
import { assets } from '../../pages/assets.ts'
import { docsPage } from '../../pages/docs-page.ts'
import { readiness } from './readiness.ts'
import { securityTxt } from './security-txt.ts'

/** A document as it is sent. */
interface Printed {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly etag: string
}

interface Documents {
  readonly openApi: Printed
  readonly docs: Printed
}

const known = { 304: { description: 'Not modified', schema: null } } as const

/** Returns the routes about the service itself. The documents among them describe all routes. */
export function serviceRoutes(allRoutes: () => readonly Route[]): Route[] {
  const made = new WeakMap<Deps, Documents>()

  /** Returns both documents, generated at first use, so that requesting them costs no more than the smallest answer. */
  function documents(deps: Deps): Documents {
    return made.get(deps) ?? print(deps)
  }

  function print(deps: Deps): Documents {
    const { serviceName, publicUrl } = deps.config
    const document = buildOpenApi(allRoutes(), { serviceName, publicUrl, version })
    const printed = { openApi: toPrinted(JSON.stringify(document)), docs: toPrinted(docsPage(document, deps.theme)) }
    made.set(deps, printed)
    return printed
  }

  return [
    route({
      method: 'GET',
      path: '/healthz',
      surface: 'json',
      tag: 'Operations',
      summary: 'Check that the process is running',
      access: { by: ['anyone'] },
      origin: 'read',
      limit: 'none',
      answers: { 200: { description: 'The process is running', schema: z.strictObject({ status: z.literal('ok') }) } },
      errors: [],
      handle() {
        return { status: 200, json: { status: 'ok' } }
      },
    }),

    route({
      method: 'GET',
      path: '/readyz',
      surface: 'json',
      tag: 'Operations',
      summary: 'Check that the server is ready',
      description:
        'Returns ok, or what is wrong. Figures are available only on the metrics listener, because they would reveal to strangers who has an account.',
      access: { by: ['anyone'] },
      origin: 'read',
      limit: 'none',
      answers: {
        200: {
          description: 'The server is ready: the database accepts writes, and mails can be queued',
          schema: z.strictObject({ status: z.literal('ok'), database: z.literal('ok'), mail: z.literal('ok') }),
        },
      },
      errors: ['service_unavailable'],
      async handle(deps) {
        return { status: 200, json: await readiness(deps) }
      },
    }),

    route({
      method: 'GET',
      path: '/openapi.json',
      surface: 'json',
      tag: 'Operations',
      summary: 'Get the OpenAPI 3.1 document of this API',
      access: { by: ['anyone'] },
      origin: 'read',
      limit: 'none',
      answers: { 200: { description: 'The document', schema: z.looseObject({ openapi: z.string() }) }, ...known },
      errors: [],
      handle(deps, { header }) {
        const { bytes, etag } = documents(deps).openApi
        return withEtag({ status: 200, jsonText: bytes }, etag, header('if-none-match'))
      },
    }),

    route({
      method: 'GET',
      path: '/docs',
      surface: 'json',
      tag: 'Operations',
      summary: 'Read the reference of this API',
      access: { by: ['anyone'] },
      origin: 'read',
      limit: 'none',
      answers: { 200: { description: 'The page', schema: 'html' }, ...known },
      errors: [],
      handle(deps, { header }) {
        const { bytes, etag } = documents(deps).docs
        return withEtag({ status: 200, html: bytes }, etag, header('if-none-match'))
      },
    }),

    route({
      method: 'GET',
      path: '/.well-known/security.txt',
      surface: 'json',
      tag: 'Operations',
      summary: 'Where to report a vulnerability (RFC 9116)',
      access: { by: ['anyone'] },
      origin: 'read',
      limit: 'none',
      answers: { 200: { description: 'The file', schema: 'text' } },
      errors: ['not_found'],
      handle(deps) {
        return { status: 200, text: securityTxt(deps) }
      },
    }),

    route({
      method: 'GET',
      path: '/assets/:file',
      surface: 'json',
      tag: 'Operations',
      summary: 'Get a style sheet, script or image of the pages',
      access: { by: ['anyone'] },
      origin: 'read',
      limit: 'none',
      params: z.strictObject({ file: z.string() }),
      answers: { 200: { description: 'The file', schema: 'asset' }, ...known },
      errors: ['not_found'],
      handle({ theme }, { params, header }) {
        const all = [...assets, theme.sheet, theme.logo].filter((asset) => asset !== null)
        const asset = all.find(({ path }) => path === `/assets/${params.file}`)
        if (!asset) throw new AuthError('not_found')
        const headers = {
          'content-type': asset.contentType,
          'cache-control': 'public, max-age=31536000, immutable',
          vary: 'accept-encoding',
        }
        const knownTag = header('if-none-match')
        // Assets only: compressing pages, which contain a form token, could reveal it (BREACH).
        if (!/\bgzip\b(?!;q=0)/.test(header('accept-encoding') ?? ''))
          return withEtag({ status: 200, bytes: asset.body, headers }, `"${asset.path}"`, knownTag)
        const packed = { ...headers, 'content-encoding': 'gzip' }
        return withEtag({ status: 200, bytes: asset.gzipped, headers: packed }, `"${asset.path}.gz"`, knownTag)
      },
    }),
  ]
}

function toPrinted(text: string): Printed {
  const bytes = new Uint8Array(Buffer.from(text))
  return { bytes, etag: etagOf(bytes) }
}
