import { toIso } from '../../kernel/clock.ts'
import { command } from '../command.ts'
import { withStore } from '../deps.ts'
import { tableOf, wideOption } from '../table.ts'

export const migrateCommands = [
  command({
    name: 'migrate status',
    summary: 'List the migrations of the database schema and when each was applied.',
    operands: [],
    options: { wide: wideOption },
    examples: ['gatelodge migrate status'],
    async run(context) {
      const { migrationStatus } = await import('../../store/migrate.ts')
      const steps = await withStore(context, (store) => migrationStatus(store))
      const migrations = steps.map(({ name, appliedAt }) => ({
        name,
        applied_at: appliedAt === null ? null : toIso(appliedAt),
      }))
      const table = tableOf(context.options)
      const rows = steps.map(({ name, appliedAt }) => [name, appliedAt === null ? 'pending' : table.time(appliedAt)])
      return { json: { migrations }, text: table.print(['MIGRATION', 'APPLIED'], rows, 'No migrations.') }
    },
  }),

  command({
    name: 'migrate plan',
    summary: 'Print the SQL that "migrate up" would run now.',
    operands: [],
    options: {},
    examples: ['gatelodge migrate plan > plan.sql'],
    async run(context) {
      const { migrationPlan } = await import('../../store/migrate.ts')
      const plan = await withStore(context, (store) => migrationPlan(store))
      const steps = plan.map(({ name, sql }) => [`-- ${name}`, ...sql.map((statement) => `${statement};`)].join('\n'))
      return { json: { plan }, text: steps.join('\n\n') || 'Nothing to do: the schema is up to date.' }
    },
  }),

  command({
    name: 'migrate up',
    summary: 'Apply all pending migrations or, if one fails, none; "serve" also does this.',
    operands: [],
    options: {},
    examples: ['gatelodge migrate up'],
    async run(context) {
      const { migrateUp } = await import('../../store/migrate.ts')
      const applied = await withStore(context, (store) => migrateUp(store))
      const text = applied.length > 0 ? `Applied ${applied.join(', ')}.` : 'Nothing to do: the schema is up to date.'
      return { json: { applied }, text }
    },
  }),
]
