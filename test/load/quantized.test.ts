/** load_in_8bit and load_in_4bit through the commands. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { resolveModelFolder } from '../../src/models/folders/model-folder.js'
import { badInputFolder, call, refused } from '../cli/bad-input-helpers.js'

const files = badInputFolder()
const named = () => ['--model-name-or-path', files.model]
async function done(argv: string[]) {
  const result = await call(files, argv)
  expect([result.code, result.complaint.match(/error.*/i)?.[0]]).toEqual([0, undefined])
  return result
}

describe.each([8, 4])('%i bits', (bits) => {
  const [key, flag] = [`load_in_${bits}bit`, `--load-in-${bits}bit`]
  const COMMON = ['--threads', '1', flag]
  const train = (...flags: string[]) => [
    ...['train', '--train-dataset', files.data, '--method', 'sft', ...named(), '--output-dir', '$out'],
    ...['--per-device-train-batch-size', '2', '--gradient-accumulation-steps', '1', '--max-length', '64'],
    ...['--max-steps', '4', '--learning-rate', '0.02', '--dev-fraction', '0', ...COMMON, ...flags],
  ]
  const generate = (...flags: string[]) => ['generate', '--max-new-tokens', '8', ...COMMON, ...flags]

  test('generate and eval say how much memory is saved and how far the answers are from those of the stored model', async () => {
    const change =
      /against the model as stored, over \d+ tokens of \d+ answers: log-probabilities differ by [\d.e-]+ on average, [\d.]+ ?%/
    const answers = await done(generate(...named(), '--eval-dataset', files.data))
    expect(answers.said + answers.complaint).toMatch(
      new RegExp(`${bits} bits {3}7 matrices · the model takes .* in float32 `),
    )
    expect(answers.said + answers.complaint).toMatch(change)
    const judged = await done([
      ...[
        'eval',
        ...named(),
        '--eval-dataset',
        files.data,
        '--max-new-tokens',
        '4',
        '--output-dir',
        '$out',
        ...COMMON,
      ],
    ])
    expect(judged.said + judged.complaint).toMatch(change)
    const one = await done(generate(...named(), '--prompt', 'Which colour has the sky?'))
    expect(one.said + one.complaint).not.toMatch(change)
  })

  test('an adapter is trained on a narrow base, says so where a run goes on, and loads on the base as stored', async () => {
    const run = await done(train('--use-peft', '--save-steps', '2'))
    const folder = resolveModelFolder(run.out)
    expect(fs.readdirSync(folder)).toContain('adapter_model.safetensors')
    expect(fs.readdirSync(folder)).not.toContain('model.safetensors')
    const state = JSON.parse(fs.readFileSync(join(folder, 'training_state.json'), 'utf8'))
    expect(state.trajectory).toMatchObject({ [key]: true })
    await done([
      'generate',
      '--model-name-or-path',
      run.out,
      '--prompt',
      'Hi',
      '--max-new-tokens',
      '4',
      '--threads',
      '1',
    ])
    await done(generate('--model-name-or-path', run.out, '--prompt', 'Hi'))
    const merged = join(run.out, 'merged')
    const merge = ['merge', '--model-name-or-path', run.out, '--export-dir', merged]
    await refused(files, [...merge, flag], [new RegExp(`clha merge does not use ${flag}`)])
    await done(merge)
  })

  test('a stopped run goes on to the same bits; on the base as stored, or in other bits, it is refused', async () => {
    const whole = await done(train('--use-peft', '--save-steps', '2'))
    const last = join(whole.out, 'checkpoint-4')
    const weights = () => fs.readFileSync(join(last, 'adapter_model.safetensors'))
    const expected = weights()
    fs.rmSync(last, { recursive: true })
    const again = train('--use-peft', '--save-steps', '2', '--resume-from-checkpoint', 'true').map((arg) =>
      arg === '$out' ? whole.out : arg,
    )
    const other = `--load-in-${12 - bits}bit`
    for (const argv of [
      again.filter((arg) => arg !== flag),
      again.map((arg) => (arg === flag ? other : arg)),
    ]) {
      const { code, complaint } = await call(files, argv)
      expect([code, complaint]).toEqual([2, expect.stringContaining(key)])
    }
    await done(again)
    expect(weights().equals(expected)).toBe(true)
  })

  test('what is trained whole, drawn at random or resized is refused', async () => {
    await refused(files, train(), [`${key}: all weights would be trained`, /use_peft/])
    await refused(files, ['plan', ...train().slice(1)], [`${key}: all weights would be trained`])
    await refused(files, train('--use-peft', '--resize-embeddings'), [/resize.embeddings/])
    await refused(
      files,
      ['train', '--train-dataset', files.data, '--model-config', join(files.model, 'config.json'), ...COMMON],
      [new RegExp(`load-in-${bits}bit.*random weights`)],
    )
  })

  test('a reward model that stands alone scores with narrow weights close to itself', async () => {
    const score = async (...flags: string[]) => {
      const { out } = await done([
        ...['reward', 'score', files.data, '--reward-model', files.reward, '--output-file', '$out/s.jsonl'],
        ...['--output-dir', '$out', '--max-length', '64', '--threads', '1', ...flags],
      ])
      const rows = fs.readFileSync(join(out, 's.jsonl'), 'utf8').trimEnd().split('\n')
      return rows.map((row) => JSON.parse(row).score_chosen as number)
    }
    const [plain, narrow] = [await score(), await score(flag)]
    expect(narrow).not.toEqual(plain)
    const spread = Math.max(...plain) - Math.min(...plain)
    for (const [i, value] of narrow.entries())
      expect(Math.abs(value - plain[i])).toBeLessThan((bits === 8 ? 0.2 : 1) * spread)
  })
})
