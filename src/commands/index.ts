/** Every command of `clha`, in the order of its help. The code behind a command is loaded only when it runs. */
import { alignCommand } from './align/index.js'
import { augmentCommand } from './augment/index.js'
import { chatCommand } from './chat/index.js'
import type { Command } from './command.js'
import { compareCommand } from './compare/index.js'
import { completionCommand } from './completion/index.js'
import { configImportCommand } from './config/import/index.js'
import { configSchemaCommand } from './config/schema/index.js'
import { configShowCommand } from './config/show/index.js'
import { DATA_COMMANDS } from './data/index.js'
import { doctorCommand } from './doctor/index.js'
import { evalCommand } from './eval/index.js'
import { experimentCommand } from './experiment/index.js'
import { explainCommand } from './explain/index.js'
import { exportCommand } from './export/index.js'
import { gateCommand } from './gate/index.js'
import { generateCommand } from './generate/index.js'
import { importCommand } from './import/index.js'
import { judgeCommand } from './judge/index.js'
import { mergeCommand } from './merge/index.js'
import { planCommand } from './plan/index.js'
import { pushCommand } from './push/index.js'
import { quickstartCommand } from './quickstart/index.js'
import { relabelCommand } from './relabel/index.js'
import { rescoreCommand } from './rescore/index.js'
import { rewardEvalCommand } from './reward-eval/index.js'
import { rewardScoreCommand } from './reward-score/index.js'
import { rewardTrainCommand } from './reward-train/index.js'
import { runsCommand } from './runs/index.js'
import { serveCommand } from './serve/index.js'
import { setupCommand } from './setup/index.js'
import { trainCommand } from './train/index.js'
import { tryRescoringCommand } from './try-rescoring/index.js'
import { VERDICT_COMMANDS } from './verdicts/index.js'
import { voteCommand } from './vote/index.js'

export const COMMANDS: readonly Command[] = [
  quickstartCommand,
  alignCommand,
  trainCommand,
  planCommand,
  rewardTrainCommand,
  rewardScoreCommand,
  rewardEvalCommand,
  rescoreCommand,
  tryRescoringCommand,
  relabelCommand,
  augmentCommand,
  explainCommand,
  evalCommand,
  compareCommand,
  judgeCommand,
  voteCommand,
  gateCommand,
  ...VERDICT_COMMANDS,
  generateCommand,
  chatCommand,
  serveCommand,
  mergeCommand,
  importCommand,
  exportCommand,
  pushCommand,
  experimentCommand,
  runsCommand,
  ...DATA_COMMANDS,
  doctorCommand,
  setupCommand,
  configShowCommand,
  configImportCommand,
  configSchemaCommand,
  completionCommand,
]
