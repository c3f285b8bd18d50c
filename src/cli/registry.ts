/** Every command of `clha`, in the order of its help. A pipeline is loaded only when its command runs. */
import { alignSpec } from './align.js'
import { chatSpec } from './chat.js'
import { type CliCommand, pipelineCommand } from './command.js'
import { configSchemaCommand } from './config-schema.js'
import { configShowCommand } from './config-show.js'
import { doctorCommand } from './doctor.js'
import { evalSpec } from './eval.js'
import { generateSpec } from './generate.js'
import { quickstartSpec } from './quickstart.js'
import { rescoreSpec } from './rescore.js'
import { rewardScoreSpec } from './reward-score.js'
import { rewardTrainSpec } from './reward-train.js'
import { trainSpec } from './train.js'

export const COMMANDS: readonly CliCommand[] = [
  pipelineCommand(quickstartSpec, async () => (await import('../pipelines/quickstart.js')).quickstart),
  pipelineCommand(alignSpec, async () => (await import('../pipelines/align.js')).align),
  pipelineCommand(trainSpec, async () => (await import('../pipelines/train.js')).train),
  pipelineCommand(rewardTrainSpec, async () => (await import('../pipelines/reward-train.js')).rewardTrain),
  pipelineCommand(rewardScoreSpec, async () => (await import('../pipelines/reward-score.js')).rewardScore),
  pipelineCommand(rescoreSpec, async () => (await import('../pipelines/rescore.js')).rescore),
  pipelineCommand(evalSpec, async () => (await import('../pipelines/eval.js')).evalPipeline),
  pipelineCommand(generateSpec, async () => (await import('../pipelines/generate.js')).generatePipeline),
  pipelineCommand(chatSpec, async () => (await import('../pipelines/chat.js')).chatPipeline),
  doctorCommand,
  configShowCommand,
  configSchemaCommand,
]
