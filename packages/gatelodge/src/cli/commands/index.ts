import type { Command } from '../command.ts'
import { adminCommands } from './admin.ts'
import { backupCommands } from './backup.ts'
import { clientCommands } from './client.ts'
import { completionCommands } from './completion.ts'
import { configCommands } from './config.ts'
import { copyCommands } from './copy.ts'
import { doctorCommands } from './doctor.ts'
import { helpCommands } from './help.ts'
import { keyCommands } from './keys.ts'
import { mailCommands } from './mail.ts'
import { migrateCommands } from './migrate.ts'
import { serveCommands } from './serve.ts'
import { userCommands } from './user.ts'

/** The command table: used by the parser, by help and by the tests. */
export const commands: readonly Command[] = [
  ...serveCommands,
  ...configCommands,
  ...doctorCommands,
  ...migrateCommands,
  ...adminCommands,
  ...userCommands,
  ...clientCommands,
  ...keyCommands,
  ...mailCommands,
  ...backupCommands,
  ...copyCommands,
  ...helpCommands,
  ...completionCommands,
]
