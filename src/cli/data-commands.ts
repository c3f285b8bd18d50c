/** The commands of `clha data`, in the order of its help. */
import type { CliCommand } from './command.js'
import { dataConvertCommand } from './data-convert.js'
import { dataDedupeCommand } from './data-dedupe.js'
import { dataInspectCommand } from './data-inspect.js'
import { dataLintCommand } from './data-lint.js'
import { dataMixCommand } from './data-mix.js'
import { dataSampleCommand } from './data-sample.js'
import { dataShowCommand } from './data-show.js'
import { dataSplitCommand } from './data-split.js'

export const DATA_COMMANDS: readonly CliCommand[] = [
  dataInspectCommand,
  dataLintCommand,
  dataShowCommand,
  dataConvertCommand,
  dataSplitCommand,
  dataDedupeCommand,
  dataSampleCommand,
  dataMixCommand,
]
