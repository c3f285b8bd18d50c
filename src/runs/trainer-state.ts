/** trainer_state.json with the names of Hugging Face's Trainer, so that tools which plot it work unchanged. */
import type { MetricRow } from './metrics.js'

export const TRAINER_STATE_FILE = 'trainer_state.json'

export interface TrainerState {
  /** With its fraction. */
  epoch: number
  globalStep: number
  maxSteps: number
  numTrainEpochs: number
  /** Every logged row so far. */
  rows: readonly MetricRow[]
  bestMetric?: number
  bestStep?: number
  /** Path of the best checkpoint. */
  bestModelCheckpoint?: string
  loggingSteps?: number
  evalSteps?: number
  saveSteps?: number
  trainBatchSize?: number
  numInputTokensSeen?: number
  totalFlos?: number
}

/** The file's text. Numbers that JSON can't hold are written as the Trainer's own reader takes them: NaN, Infinity. */
export function formatTrainerState(state: TrainerState): string {
  const value = {
    best_global_step: state.bestStep ?? null,
    best_metric: state.bestMetric ?? null,
    best_model_checkpoint: state.bestModelCheckpoint ?? null,
    epoch: state.epoch,
    eval_steps: state.evalSteps ?? 0,
    global_step: state.globalStep,
    is_hyper_param_search: false,
    is_local_process_zero: true,
    is_world_process_zero: true,
    log_history: state.rows,
    logging_steps: state.loggingSteps ?? 0,
    max_steps: state.maxSteps,
    num_input_tokens_seen: state.numInputTokensSeen ?? 0,
    num_train_epochs: state.numTrainEpochs,
    save_steps: state.saveSteps ?? 0,
    stateful_callbacks: {},
    total_flos: state.totalFlos ?? 0,
    train_batch_size: state.trainBatchSize ?? null,
    trial_name: null,
    trial_params: null,
  }
  return `${pythonJson(value)}\n`
}

/** JSON.stringify would write null for NaN. A mark that no text can contain stands in for it, then is replaced. */
function pythonJson(value: unknown): string {
  const mark = '\u0000'
  const text = JSON.stringify(
    value,
    (_, item: unknown) => (typeof item === 'number' && !Number.isFinite(item) ? mark + String(item) : item),
    2,
  )
  return text.replace(/"\\u0000(NaN|-?Infinity)"/g, '$1')
}
