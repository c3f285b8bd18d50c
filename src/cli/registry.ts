/** Every command of `clha`, in the order of its help. A pipeline is loaded only when its command runs. */
import { alignSpec } from './align.js'
import { augmentSpec } from './augment.js'
import { chatSpec } from './chat.js'
import { type CliCommand, pipelineCommand } from './command.js'
import { configImportCommand } from './config-import.js'
import { configSchemaCommand } from './config-schema.js'
import { configShowCommand } from './config-show.js'
import { DATA_COMMANDS } from './data-commands.js'
import { doctorCommand } from './doctor.js'
import { evalSpec } from './eval.js'
import { experimentCommand } from './experiment.js'
import { explainSpec } from './explain.js'
import { generateSpec } from './generate.js'
import { mergeSpec } from './merge.js'
import { planCommand } from './plan.js'
import { pushCommand } from './push.js'
import { quickstartSpec } from './quickstart.js'
import { rescoreSpec } from './rescore.js'
import { rewardScoreSpec } from './reward-score.js'
import { rewardTrainSpec } from './reward-train.js'
import { serveSpec } from './serve.js'
import { trainSpec } from './train.js'

export const COMMANDS: readonly CliCommand[] = [
  pipelineCommand(quickstartSpec, async () => (await import('../pipelines/quickstart.js')).quickstart),
  pipelineCommand(alignSpec, async () => (await import('../pipelines/align.js')).align),
  pipelineCommand(trainSpec, async () => (await import('../pipelines/train.js')).train),
  planCommand,
  pipelineCommand(rewardTrainSpec, async () => (await import('../pipelines/reward-train.js')).rewardTrain),
  pipelineCommand(rewardScoreSpec, async () => (await import('../pipelines/reward-score.js')).rewardScore),
  pipelineCommand(rescoreSpec, async () => (await import('../pipelines/rescore.js')).rescore),
  pipelineCommand(augmentSpec, async () => (await import('../pipelines/augment.js')).augment),
  pipelineCommand(explainSpec, async () => (await import('../pipelines/explain.js')).explain),
  pipelineCommand(evalSpec, async () => (await import('../pipelines/eval.js')).evalPipeline),
  pipelineCommand(generateSpec, async () => (await import('../pipelines/generate.js')).generatePipeline),
  pipelineCommand(chatSpec, async () => (await import('../pipelines/chat.js')).chatPipeline),
  pipelineCommand(serveSpec, async () => (await import('../pipelines/serve.js')).serve),
  pipelineCommand(mergeSpec, async () => (await import('../pipelines/merge.js')).merge),
  pushCommand,
  experimentCommand,
  ...DATA_COMMANDS,
  doctorCommand,
  configShowCommand,
  configImportCommand,
  configSchemaCommand,
]
