import { expect, test } from 'vitest'
import { rescoreData } from '../../src/stations/rank/rescoring.js'
import { example } from '../rescore/helpers.js'

const session = {
  options: {
    labelSource: 'posterior',
    pairWeight: 'soft',
    minConfidence: 0.6,
    sftGate: 'soft',
    gateQuantile: 0.5,
    gateLevel: undefined,
    labelError: 0.2,
    rewardTemperature: 1,
    rewardThreshold: undefined,
    mode: 'default',
  },
  ui: { line() {}, warn() {} },
} as unknown as Parameters<typeof rescoreData>[0]

test('an error that perplexities tell is not called given', () => {
  const rewards = [1, 1.2, 0.8, -0.9, 1.1].map((gap) => [gap, 0])
  const examples = rewards.map((_, i) => example(2, [[0, 1]], { id: String(i), prompt: `q ${i}` }))
  const said: string[] = []
  const options = { ...session.options, labelSource: 'perplexity' as const }
  const ui = { ...session.ui, line: (text: string) => said.push(text) } as typeof session.ui
  rescoreData({ options, ui }, { examples, rewards, parts: examples.map(() => 'train') })
  expect(said.join('\n')).toMatch(/annotator error 0\.\d\d, as perplexities tell/)
})
