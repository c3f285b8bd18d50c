/** The commands of `clha data`, in the order of its help. */
import type { Command } from '../command.js'
import { dataConvertCommand } from './convert/index.js'
import { dataDedupeCommand } from './dedupe/index.js'
import { dataInspectCommand } from './inspect/index.js'
import { dataLintCommand } from './lint/index.js'
import { dataMixCommand } from './mix/index.js'
import { dataSampleCommand } from './sample/index.js'
import { dataShowCommand } from './show/index.js'
import { dataSplitCommand } from './split/index.js'

export const DATA_COMMANDS: readonly Command[] = [
  dataInspectCommand,
  dataLintCommand,
  dataShowCommand,
  dataConvertCommand,
  dataSplitCommand,
  dataDedupeCommand,
  dataSampleCommand,
  dataMixCommand,
]
