import assert from 'node:assert/strict'

/** The pages whose `sh` blocks are run by a test; all blocks unless a section is given. */
export const pagesWithCommands: readonly { file: string; section?: string }[] = [
  { file: 'README.md', section: 'A tour in five minutes with curl' },
  { file: 'docs/guide/first-steps.md' },
  { file: 'docs/guide/backup.md' },
  { file: 'docs/guide/access-tokens.md' },
  { file: 'docs/guide/service-clients.md' },
  { file: 'docs/guide/api-tokens.md' },
]

/** A fenced block of a page. The language is empty if the fence names none. */
export interface Block {
  readonly language: string
  readonly body: string
}

/** Returns the fenced blocks of a Markdown page, in order. */
export function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = '', body = '']) => ({ language, body }))
}

/** Returns the text below a heading, up to the next heading of the same or a higher level. */
export function markdownSection(page: string, heading: string): string {
  const lines = withoutBlocks(page).split('\n')
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading)
  assert.notEqual(start, -1, `no heading "${heading}"`)
  const level = (lines[start] ?? '').indexOf(' ')
  const length = lines.slice(start + 1).findIndex((line) => /^#+ /.test(line) && line.indexOf(' ') <= level)
  return page
    .split('\n')
    .slice(start + 1, length < 0 ? undefined : start + 1 + length)
    .join('\n')
}

/** Returns the rows of every table in a text, without header rows and code marks. */
export function tableRowsOf(text: string): string[][] {
  const lines = text.split('\n')
  const isRow = (line: string | undefined) => line?.startsWith('|') === true
  const isHead = (index: number) => /^\|(?:\s*:?-+:?\s*\|)+$/.test(lines[index + 1] ?? '')
  const isRule = (line: string) => /^\|(?:\s*:?-+:?\s*\|)+$/.test(line)
  return lines.flatMap((line, index) => {
    if (!isRow(line) || isHead(index) || isRule(line)) return []
    return [
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replace(/`/g, '')),
    ]
  })
}

/** Returns the anchors of a page's headings, as the evidence check and code hosts generate them. */
export function anchorsOf(page: string): string[] {
  const headings = withoutBlocks(page).match(/^#+ .+$/gm) ?? []
  return headings.map((heading) =>
    heading
      .replace(/^#+ /, '')
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .trim()
      .replace(/\s+/g, '-'),
  )
}

/** Returns the link targets of a page. */
export function linksOf(page: string): string[] {
  return [...withoutBlocks(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
}

/** Returns the page with the lines of its fenced blocks emptied. */
function withoutBlocks(page: string): string {
  return page.replace(/^```\w*\n.*?^```$/gms, (block) => block.replace(/[^\n]/g, ''))
}
