/** An alignment tokenises its data once, whatever its stations make of it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { align } from '../../src/commands/align/align.js'
import { tempFolder } from '../text/tiny-tokenizer.js'
import { call, typed, writeFiles } from './eval-folder.js'

/** Pairs of which every sixth has a prompt that is cut: whoever tokenises them says so. */
function pairsFile(folder: string): string {
  const rows = Array.from({ length: 24 }, (_, i) => ({
    prompt: `${i % 6 === 0 ? 'once upon a time '.repeat(20) : ''}Which colour has thing ${i}?`,
    chosen: ' It is blue.',
    rejected: ' I will not say.',
  }))
  const path = join(folder, 'cut.jsonl')
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return path
}

test('SFT start, reward models, their scores and the policy share the tokens of one encoding', async () => {
  const folder = tempFolder('once')
  const files = await writeFiles(folder)
  const { config, ui, screen } = await call({
    modelNameOrPath: files.model,
    trainDataset: pairsFile(folder),
    outputDir: join(folder, 'run'),
    maxLength: 100,
    maxPromptLength: 60,
    testFraction: 0,
    devFraction: undefined,
    minConfidence: 0.5,
    labelError: 0.1,
    rewardTemperature: 1,
    perDeviceTrainBatchSize: 12,
    gradientAccumulationSteps: 1,
    numTrainEpochs: 1,
    sftNumTrainEpochs: 1,
  })
  const result = await align(config, ui, typed())
  expect(result.stopped).toBe(false)
  expect(screen().match(/reward model|start|align \(clha\)/g)?.length).toBeGreaterThan(2)
  expect(screen().match(/longer than max_length: 4 of 24 prompts lose their beginning/g)).toHaveLength(1)
}, 60_000)
