import { existsSync, readFileSync } from 'node:fs'

interface RequirementRow {
  readonly status: 'met' | 'open' | 'left-out'
  readonly tests?: readonly string[]
  /** Tests of `npm run proofs`, which checks them. */
  readonly proofs?: readonly string[]
  readonly why?: string
}

interface AsvsRow {
  readonly status: 'met' | 'not-applicable' | 'open'
  readonly evidence?: readonly string[]
  readonly why?: string
}

const requirementsFile = 'docs/evidence/requirements.json'

/**
 * Checks the evidence maps against the tests that ran: a met row names tests that ran (or, for ASVS, an existing anchor `file.md#heading`; or proofs), any
 * other row states a reason, and no row is missing. Prints the counts and the faults. Returns whether there are no faults.
 */
export function checkEvidence(ranFile: string): boolean {
  const ran = namesIn(ranFile)
  return hasNone([...checkRequirements(ran), ...checkAsvs(ran)])
}

/** Checks that the proofs that rows name ran, like `checkEvidence`. */
export function checkProofs(ranFile: string): boolean {
  const ran = namesIn(ranFile)
  const rows = Object.entries(readJson<Record<string, RequirementRow>>(requirementsFile))
  return hasNone(rows.flatMap(([id, { proofs = [] }]) => unproved(id, proofs, ran)))
}

function namesIn(ranFile: string): ReadonlySet<string> {
  const lines = readFileSync(ranFile, 'utf8').split('\n').filter(Boolean)
  return new Set(lines.map((line) => (JSON.parse(line) as { name: string }).name))
}

function hasNone(faults: readonly string[]): boolean {
  for (const fault of faults) console.error(`evidence: ${fault}`)
  return faults.length === 0
}

function unproved(id: string, names: readonly string[], ran: ReadonlySet<string>): string[] {
  return names.filter((name) => !ran.has(name)).map((name) => `${id} names a test that did not run: ${name}`)
}

function checkRequirements(ran: ReadonlySet<string>): string[] {
  const ids = readJson<string[]>('docs/evidence/requirement-ids.json')
  const rows = readJson<Record<string, RequirementRow>>(requirementsFile)
  printCounts(
    'requirements',
    Object.values(rows).map(({ status }) => status),
  )

  return [
    ...missing('requirements', ids, rows),
    ...Object.entries(rows).flatMap(([id, row]) => {
      if (row.status !== 'met') return row.why ? [] : [`${id} is ${row.status} and does not say why`]
      if (!row.tests?.length && !row.proofs?.length) return [`${id} is met and names no test`]
      return unproved(id, row.tests ?? [], ran)
    }),
  ]
}

function checkAsvs(ran: ReadonlySet<string>): string[] {
  const items = readJson<{ id: string }[]>('docs/evidence/asvs-items.json')
  const rows = readJson<Record<string, AsvsRow>>('docs/evidence/asvs.json')
  printCounts(
    'ASVS 5.0.0',
    Object.values(rows).map(({ status }) => status),
  )

  return [
    ...missing(
      'asvs',
      items.map(({ id }) => id),
      rows,
    ),
    ...Object.entries(rows).flatMap(([id, row]) => {
      if (row.status !== 'met') return row.why ? [] : [`${id} is ${row.status} and does not say why`]
      if (!row.evidence?.length) return [`${id} is met and names no evidence`]
      return row.evidence
        .filter((name) => !ran.has(name) && !anchorExists(name))
        .map((name) => `${id} names evidence that is not there: ${name}`)
    }),
  ]
}

function missing(map: string, ids: readonly string[], rows: object): string[] {
  return [
    ...ids.filter((id) => !(id in rows)).map((id) => `${map}: ${id} is missing`),
    ...Object.keys(rows)
      .filter((id) => !ids.includes(id))
      .map((id) => `${map}: ${id} is no known row`),
  ]
}

function anchorExists(name: string): boolean {
  const [, file, anchor] = /^([\w./-]+\.md)#([\w-]+)$/.exec(name) ?? []
  if (file === undefined || !existsSync(file)) return false

  const headings = readFileSync(file, 'utf8').match(/^#+ .+$/gm) ?? []
  return headings.some(
    (heading) =>
      heading
        .replace(/^#+ /, '')
        .toLowerCase()
        .replace(/[^\w\s-]/g, '')
        .trim()
        .replace(/\s+/g, '-') === anchor,
  )
}

function printCounts(name: string, statuses: readonly string[]): void {
  const counts = Object.entries(Object.groupBy(statuses, (status) => status)).map(
    ([status, rows]) => `${rows?.length} ${status}`,
  )
  console.log(`evidence of ${name}: ${counts.join(', ')}`)
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8')) as T
}
