import { type ApiDocument, type ApiMethod, type ApiOperation, sampleValue } from './openapi-view.ts'

/** Returns a curl command that calls an operation, ready for a POSIX shell. Words in capitals must be replaced. */
export function curlExample(document: ApiDocument, path: string, method: ApiMethod, operation: ApiOperation): string {
  const base = (document.servers?.[0]?.url ?? 'http://localhost:3000').replace(/\/$/, '')
  const query = (operation.parameters ?? [])
    .filter((parameter) => parameter.in === 'query' && parameter.required)
    .map(
      (parameter) =>
        `${parameter.name}=${encodeURIComponent(String(sampleValue(document, parameter.schema ?? {}, parameter.name)))}`,
    )
  // curl treats braces as globs.
  const place = path.replace(/\{(\w+)\}/g, (_, name: string) => name.toUpperCase())
  const url = `${base}${place}${query.length > 0 ? `?${query.join('&')}` : ''}`
  const start = method === 'get' ? `curl ${quote(url)}` : `curl -X ${method.toUpperCase()} ${quote(url)}`

  return [start, ...credentials(document, operation), ...bodyArguments(document, operation)].join(' \\\n  ')
}

function credentials(document: ApiDocument, operation: ApiOperation): readonly string[] {
  const requirement = (operation.security ?? document.security ?? [])[0]
  return Object.keys(requirement ?? {}).flatMap((name) => {
    const scheme = document.components?.securitySchemes?.[name]
    if (scheme?.scheme === 'bearer') return ['-H "Authorization: Bearer $ACCESS_TOKEN"']
    if (scheme?.scheme === 'basic') return ['-u CLIENT_ID:CLIENT_SECRET']
    return ['-b cookies.txt']
  })
}

function bodyArguments(document: ApiDocument, operation: ApiOperation): readonly string[] {
  const [mediaType, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? []
  if (mediaType === undefined) return []

  const sample = sampleValue(document, content?.schema ?? {})
  const fields = Object.entries(typeof sample === 'object' && sample !== null ? sample : {})
  if (mediaType === 'application/x-www-form-urlencoded') {
    return fields.map(([name, value]) => `--data-urlencode ${quote(`${name}=${value}`)}`)
  }
  if (mediaType === 'multipart/form-data') return fields.map(([name]) => `-F ${quote(`${name}=@FILE`)}`)
  return [`-H ${quote(`Content-Type: ${mediaType}`)}`, `-d ${quote(JSON.stringify(sample))}`]
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
