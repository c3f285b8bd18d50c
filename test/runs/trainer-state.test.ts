import { expect, test } from 'vitest'
import { formatTrainerState } from '../../src/runs/trainer-state.js'

test('the keys are those of the Hugging Face Trainer, the rows its log_history', () => {
  const text = formatTrainerState({
    epoch: 0.5,
    globalStep: 10,
    maxSteps: 20,
    numTrainEpochs: 1,
    rows: [{ step: 10, epoch: 0.5, loss: 1.5, learning_rate: 1e-6 }],
    bestMetric: 0.7,
    bestStep: 10,
    bestModelCheckpoint: 'run/checkpoint-10',
  })
  expect(JSON.parse(text)).toMatchObject({
    best_global_step: 10,
    best_metric: 0.7,
    best_model_checkpoint: 'run/checkpoint-10',
    epoch: 0.5,
    global_step: 10,
    max_steps: 20,
    num_train_epochs: 1,
    log_history: [{ step: 10, epoch: 0.5, loss: 1.5, learning_rate: 1e-6 }],
    is_local_process_zero: true,
    is_world_process_zero: true,
    is_hyper_param_search: false,
    trial_name: null,
    trial_params: null,
    total_flos: 0,
  })
})

test("numbers that are not finite are spelled as Python's json reads them, text is left alone", () => {
  const rows = [{ step: 1, loss: Number.NaN, a: Number.NEGATIVE_INFINITY, note: 'NaN' }]
  const text = formatTrainerState({ epoch: 0, globalStep: 1, maxSteps: 1, numTrainEpochs: 1, rows })
  expect(text).toContain('"loss": NaN,')
  expect(text).toContain('"a": -Infinity,')
  expect(text).toContain('"note": "NaN"')
})
