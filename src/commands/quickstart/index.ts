/** `clha quickstart`: the starter world from start to report. */
import type { PipelineSpec } from '../command.js'

export const quickstartSpec: PipelineSpec = {
  path: ['quickstart'],
  summary: 'align a small language model on this machine, from nothing to a report',
  examples: ['clha quickstart', 'clha quickstart --seeds 5'],
  sections: ['quickstart', 'model', 'method', 'rescore', 'train', 'rounds', 'run', 'profile'],
  needs: [],
}
