import type { Theme } from '../domain/theme.ts'
import { curlExample } from './curl-example.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'
import { pageMessages } from './messages.ts'
import {
  type ApiContent,
  type ApiDocument,
  type ApiMethod,
  type ApiOperation,
  type ApiSchema,
  apiMethods,
  fieldRows,
  typeName,
  variants,
} from './openapi-view.ts'

const words = pageMessages.docs

/** Renders the API reference of an OpenAPI 3.1 document as a complete HTML page without scripts. */
export function docsPage(document: ApiDocument, theme: Theme): string {
  const groups = groupByTag(document)
  const body = html`<div class="docs">
<div class="intro">
<h1>${document.info.title}</h1>
<p class="muted">${words.version(document.info.version)} · <a href="/openapi.json">${words.machineReadable}</a></p>
${document.info.description !== undefined && prose(document.info.description)}
</div>
<nav class="toc" aria-labelledby="contents">
<h2 id="contents">${words.contents}</h2>
${groups.map(contentsOfGroup)}
</nav>
<div class="reference">
${groups.map((group) => groupSection(document, group))}
</div>
</div>`

  return page({ title: words.title, theme, body, wide: true, description: document.info.title })
}

interface Entry {
  readonly id: string
  readonly path: string
  readonly method: ApiMethod
  readonly operation: ApiOperation
}

interface Group {
  readonly id: string
  readonly name: string
  readonly description: string | undefined
  readonly entries: readonly Entry[]
}

function groupByTag(document: ApiDocument): readonly Group[] {
  const entries = Object.entries(document.paths).flatMap(([path, item]) =>
    apiMethods.flatMap((method): Entry[] => {
      const operation = item[method]
      return operation ? [{ id: anchor(`${method}-${path}`), path, method, operation }] : []
    }),
  )
  const tagOf = (entry: Entry) => entry.operation.tags?.[0] ?? words.untagged
  const names = new Set([...(document.tags ?? []).map((tag) => tag.name), ...entries.map(tagOf)])

  return [...names]
    .map((name) => ({
      id: anchor(`tag-${name}`),
      name,
      description: document.tags?.find((tag) => tag.name === name)?.description,
      entries: entries.filter((entry) => tagOf(entry) === name),
    }))
    .filter((group) => group.entries.length > 0)
}

function anchor(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
}

function contentsOfGroup(group: Group): Html {
  return html`<p class="toc-group"><a href="#${group.id}">${group.name}</a></p>
<ul>
${group.entries.map(
  ({ id, path, method, operation }) =>
    html`<li><a href="#${id}"><span class="method method-${method}">${method.toUpperCase()}</span> ${operation.summary ?? path}</a></li>\n`,
)}</ul>
`
}

function groupSection(document: ApiDocument, group: Group): Html {
  return html`<section aria-labelledby="${group.id}">
<h2 id="${group.id}">${group.name}</h2>
${group.description !== undefined && prose(group.description)}
${group.entries.map((entry) => operationArticle(document, entry))}
</section>
`
}

function operationArticle(document: ApiDocument, { id, path, method, operation }: Entry): Html {
  const limits = operation['x-limits'] ?? []

  return html`<article class="card operation" aria-labelledby="${id}">
<h3 id="${id}"><a class="operation-link" href="#${id}"><span class="method method-${method}">${method.toUpperCase()}</span> <code>${breakable(path)}</code></a></h3>
${operation.summary !== undefined && html`<p class="summary">${operation.summary}</p>\n`}
${operation.description !== undefined && prose(operation.description)}
<dl class="facts">
<div><dt>${words.access}</dt><dd>${access(document, operation)}</dd></div>
${limits.length > 0 && html`<div><dt>${words.limits}</dt><dd>${limits.join(', ')}</dd></div>`}
</dl>
${parameterTable(operation)}
${Object.entries(operation.requestBody?.content ?? {}).map(([type, content]) => bodySection(document, type, content))}
${answerTable(document, operation)}
${errorCodes(operation)}
<h4>${words.example}</h4>
<pre tabindex="0"><code>${curlExample(document, path, method, operation)}</code></pre>
</article>
`
}

function access(document: ApiDocument, operation: ApiOperation): string {
  if (operation['x-auth'] !== undefined) return operation['x-auth']

  const ways = (operation.security ?? document.security ?? []).map((requirement) =>
    Object.keys(requirement).join(words.and),
  )
  return ways.map((way) => way || words.everyone).join(words.or) || words.everyone
}

function parameterTable({ parameters = [] }: ApiOperation): Html | false {
  if (parameters.length === 0) return false

  return html`<h4>${words.parameters}</h4>
<div class="scroll" tabindex="0"><table>
<thead><tr><th scope="col">${words.columns.name}</th><th scope="col">${words.columns.place}</th><th scope="col">${words.columns.type}</th><th scope="col">${words.columns.required}</th><th scope="col">${words.columns.description}</th></tr></thead>
<tbody>
${parameters.map(
  (parameter) =>
    html`<tr><th scope="row"><code>${parameter.name}</code></th><td>${parameter.in}</td><td><code class="type">${typeName(parameter.schema ?? {})}</code></td><td>${yesNo(parameter.required ?? false)}</td><td>${inline(parameter.description ?? describe(parameter.schema ?? {}))}</td></tr>\n`,
)}</tbody></table></div>`
}

function bodySection(document: ApiDocument, mediaType: string, { schema = {} }: ApiContent): Html {
  return html`<h4>${words.body} <code class="muted">${mediaType}</code></h4>
${schemaTables(document, schema)}`
}

function schemaTables(document: ApiDocument, schema: ApiSchema): Html {
  const forms = variants(document, schema)
  return html`${forms.map(
    (form, index) =>
      html`${forms.length > 1 && html`<p class="muted">${words.oneOf(index + 1, forms.length)}</p>\n`}${fieldTable(document, form)}`,
  )}`
}

function fieldTable(document: ApiDocument, schema: ApiSchema): Html {
  const rows = fieldRows(document, schema)
  if (rows.length === 0) return html`<p class="muted">${words.withoutBody}</p>`

  return html`<div class="scroll" tabindex="0"><table>
<thead><tr><th scope="col">${words.columns.name}</th><th scope="col">${words.columns.type}</th><th scope="col">${words.columns.required}</th><th scope="col">${words.columns.description}</th></tr></thead>
<tbody>
${rows.map(
  (row) =>
    html`<tr><th scope="row"><code>${row.name}</code></th><td><code class="type">${row.type}</code></td><td>${yesNo(row.required)}</td><td>${inline(describe(row.schema))}</td></tr>\n`,
)}</tbody></table></div>`
}

function answerTable(document: ApiDocument, operation: ApiOperation): Html {
  const answers = Object.entries(operation.responses).map(([status, { description, content }]) => ({
    status,
    description: description ?? '',
    contents: Object.entries(content ?? {}).map(([mediaType, { schema = {} }]) => ({ mediaType, schema })),
  }))
  const described = answers.filter(({ status }) => status.startsWith('2'))

  return html`<h4>${words.answers}</h4>
<div class="scroll" tabindex="0"><table>
<thead><tr><th scope="col">${words.columns.status}</th><th scope="col">${words.columns.meaning}</th><th scope="col">${words.columns.content}</th></tr></thead>
<tbody>
${answers.map(
  ({ status, description, contents }) =>
    html`<tr><th scope="row"><span class="status status-${status.slice(0, 1)}">${status}</span></th><td>${inline(description)}</td><td>${contents.map(({ mediaType }) => html`<code class="type">${mediaType}</code> `)}</td></tr>\n`,
)}</tbody></table></div>
${described.flatMap(({ status, contents }) =>
  contents
    .filter(({ schema }) => variants(document, schema).some((form) => fieldRows(document, form).length > 0))
    .map(
      ({ schema }) =>
        html`<details><summary>${words.fields(status)}</summary>\n${schemaTables(document, schema)}</details>\n`,
    ),
)}`
}

function errorCodes(operation: ApiOperation): Html | false {
  const codes = operation['x-error-codes'] ?? []
  return (
    codes.length > 0 &&
    html`<h4>${words.errorCodes}</h4>
<ul class="codes">${codes.map((code) => html`<li><code>${code}</code></li>`)}</ul>`
  )
}

function describe(schema: ApiSchema): string {
  const limits = words.constraints
  return [
    schema.description,
    schema.minLength !== undefined && schema.minLength > 0 && limits.minLength(schema.minLength),
    schema.maxLength !== undefined && limits.maxLength(schema.maxLength),
    isOwnLimit(schema.minimum) && limits.minimum(schema.minimum),
    isOwnLimit(schema.maximum) && limits.maximum(schema.maximum),
    schema.default !== undefined && limits.preset(JSON.stringify(schema.default)),
  ]
    .filter((part) => typeof part === 'string')
    .join('; ')
}

// Generators write the safe-integer range if no limit was set.
function isOwnLimit(limit: number | undefined): limit is number {
  return limit !== undefined && Math.abs(limit) < Number.MAX_SAFE_INTEGER
}

function yesNo(value: boolean): string {
  return value ? words.yes : words.no
}

function prose(text: string): Html {
  return html`${text.split(/\n{2,}/).map((paragraph) => html`<p>${inline(paragraph)}</p>\n`)}`
}

function inline(text: string): Html {
  return html`${text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`
}

function breakable(path: string): Html {
  return html`${path.split(/(?=\/)/).map((part) => html`<wbr>${part}`)}`
}
