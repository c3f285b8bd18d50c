/** The commands of `clha verdicts`, in the order of its help. */
import type { Command } from '../command.js'
import { verdictsExportCommand } from './export/index.js'
import { verdictsImportCommand } from './import/index.js'
import { verdictsShowCommand } from './show/index.js'

export const VERDICT_COMMANDS: readonly Command[] = [
  verdictsShowCommand,
  verdictsImportCommand,
  verdictsExportCommand,
]
