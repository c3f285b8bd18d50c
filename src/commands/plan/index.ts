/** `clha plan`: memory, time and disk of a training before it is started. */
import { type CliCommand, type PipelineSpec, pipelineCommand } from '../command.js'
import { trainSpec } from '../train/index.js'

export const planSpec: PipelineSpec = {
  ...trainSpec,
  path: ['plan'],
  summary: 'what a training will need, before it starts: memory, time, tokens, disk, and what to change',
  examples: [
    'clha plan my.yaml',
    'clha plan my.yaml --gradient-checkpointing true --max-tokens-per-batch 2048',
    'clha plan my.yaml --device h100 --dtype bfloat16',
    'clha plan my.yaml --reward --json',
  ],
  sections: [...trainSpec.sections, 'rewardTrain'],
  without: ['device'],
}

const load = async (device?: string, reward?: boolean) =>
  (await import('./plan.js')).planPipeline({ device, reward })

export const planCommand: CliCommand = {
  ...pipelineCommand(planSpec, () => load()),
  async define(command) {
    await pipelineCommand(planSpec, () => load()).define(command)
    const { DEVICES } = await import('../../plan/devices.js')
    command.option('--device <name>', `for another device: ${Object.keys(DEVICES).join(', ')}`)
    command.option('--reward', 'plan clha reward train in place of clha train')
  },
  run: (io, args, { device, reward, ...flags }) =>
    pipelineCommand(planSpec, () => load(device as string | undefined, reward === true)).run(io, args, flags),
}
