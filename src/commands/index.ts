/** Every command of `clha`, in the order of its help. A pipeline is loaded only when its command runs. */
import { alignSpec } from './align/index.js'
import { augmentSpec } from './augment/index.js'
import { chatSpec } from './chat/index.js'
import { type CliCommand, pipelineCommand } from './command.js'
import { configImportCommand } from './config/config-import.js'
import { configSchemaCommand } from './config/config-schema.js'
import { configShowCommand } from './config/config-show.js'
import { DATA_COMMANDS } from './data/index.js'
import { doctorCommand } from './doctor/index.js'
import { evalSpec } from './eval/index.js'
import { experimentCommand } from './experiment/index.js'
import { explainSpec } from './explain/index.js'
import { generateSpec } from './generate/index.js'
import { mergeSpec } from './merge/index.js'
import { planCommand } from './plan/index.js'
import { pushCommand } from './push/index.js'
import { quickstartSpec } from './quickstart/index.js'
import { rescoreSpec } from './rescore/index.js'
import { rewardScoreSpec } from './reward-score/index.js'
import { rewardTrainSpec } from './reward-train/index.js'
import { serveSpec } from './serve/index.js'
import { setupCommand } from './setup/index.js'
import { trainSpec } from './train/index.js'

export const COMMANDS: readonly CliCommand[] = [
  pipelineCommand(quickstartSpec, async () => (await import('./quickstart/quickstart.js')).quickstart),
  pipelineCommand(alignSpec, async () => (await import('./align/align.js')).align),
  pipelineCommand(trainSpec, async () => (await import('./train/train.js')).train),
  planCommand,
  pipelineCommand(rewardTrainSpec, async () => (await import('./reward-train/reward-train.js')).rewardTrain),
  pipelineCommand(rewardScoreSpec, async () => (await import('./reward-score/reward-score.js')).rewardScore),
  pipelineCommand(rescoreSpec, async () => (await import('./rescore/rescore.js')).rescore),
  pipelineCommand(augmentSpec, async () => (await import('./augment/augment.js')).augment),
  pipelineCommand(explainSpec, async () => (await import('./explain/explain.js')).explain),
  pipelineCommand(evalSpec, async () => (await import('./eval/eval.js')).evalPipeline),
  pipelineCommand(generateSpec, async () => (await import('./generate/generate.js')).generatePipeline),
  pipelineCommand(chatSpec, async () => (await import('./chat/chat.js')).chatPipeline),
  pipelineCommand(serveSpec, async () => (await import('./serve/serve.js')).serve),
  pipelineCommand(mergeSpec, async () => (await import('./merge/merge.js')).merge),
  pushCommand,
  experimentCommand,
  ...DATA_COMMANDS,
  doctorCommand,
  setupCommand,
  configShowCommand,
  configImportCommand,
  configSchemaCommand,
]
