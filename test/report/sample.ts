/** A realistic report for tests: invented numbers, real audit and calibration of invented rewards. */
import type { Example } from '../../src/data/example.js'
import { createRandom } from '../../src/random.js'
import type { AlignReport, Curve, EvaluationRow } from '../../src/report/types.js'
import { type AuditReport, auditReport } from '../../src/rescore/audit.js'
import { rescoreLists } from '../../src/rescore/rescore.js'
import type { Estimate } from '../../src/statistics/estimate.js'

const SOURCES = ['facts', 'sums', 'refusals', 'greetings']

export function sampleAudit(): AuditReport {
  const random = createRandom(7)
  const wrong = new Map<string, boolean>()
  const rewards: number[][] = []
  const examples = Array.from({ length: 1200 }, (_, row): Example => {
    const gap = 0.2 + Math.abs(random.normal()) * 1.6
    const base = random.normal() - 0.6
    const good = base + gap / 2 + random.normal() * 0.45
    const bad = base - gap / 2 + random.normal() * 0.45
    const flipped = random.next() < 0.25
    wrong.set(`row-${row}`, flipped)
    rewards.push(flipped ? [bad, good] : [good, bad])
    const texts = [
      { text: 'The capital of Norway is Oslo. Happy to help!' },
      { text: 'Bergen, obviously. Next question.' },
    ]
    const prompt = [{ role: 'user' as const, content: `What is the capital of Norway? (${row})` }]
    const preferences = [{ better: 0, worse: 1 }]
    const candidates = flipped ? texts.toReversed() : texts
    return {
      id: `row-${row}`,
      prompt,
      candidates,
      preferences,
      source: SOURCES[row % 4],
      file: 'pairs.jsonl',
      row: row + 1,
    }
  })
  const rank = {
    labelSource: 'posterior',
    pairWeight: 'soft',
    minConfidence: 0.8,
    sftGate: 'soft',
    gateQuantile: 0.25,
  } as const
  const folds = examples.map((_, i) => Math.floor(i / 4) % 2)
  const { lists, calibrations } = rescoreLists({
    examples,
    rewards,
    folds,
    options: { rank, calibrate: { labelError: 0.25 } },
  })
  return auditReport(lists, calibrations, { truth: (list) => [wrong.get(list.example.id)!] })
}

export const estimate = (value: number, half: number): Estimate => ({
  value,
  interval: [value - half, value + half],
})

function curve(name: string, steps: number, from: number, to: number, metrics: string[]): Curve {
  const random = createRandom(name)
  const points = Array.from({ length: steps }, (_, k) => {
    const done = 1 - Math.exp((-4 * k) / steps)
    const value = (m: number) =>
      from + (to - from) * done + random.normal() * 0.06 * Math.abs(from - to) - m * 0.4 * done
    return { step: k + 1, ...Object.fromEntries(metrics.map((metric, m) => [metric, value(m)])) }
  })
  return { name, metrics, points }
}

const CENTRES = {
  start: [-1.32, -0.4, 11.6, 0],
  sft: [1.1, 1.2, 8.1, 0.71],
  clha: [2.05, 2.1, 9, 0.88],
} as const
const SHIFT = { total: 0, facts: 0.4, sums: -0.7, refusals: 0.5, greetings: 0.1 }

function evaluationRows(): EvaluationRow[] {
  return ['greedy', 'sampled'].flatMap((decoding, d) =>
    (['start', 'sft', 'clha'] as const).flatMap((system) =>
      Object.entries(SHIFT).map(([source, shift]): EvaluationRow => {
        const [truth, second, length, rate] = CENTRES[system]
        const prompts = source === 'total' ? 300 : 75
        const half = source === 'total' ? 0.12 : 0.26
        const wins = Math.round(rate * prompts * (1 - 0.2 * d))
        const againstStart = {
          wins,
          ties: 12,
          losses: prompts - wins - 12,
          rate: estimate(rate - 0.1 * d, 0.035),
        }
        return {
          system,
          source,
          decoding,
          prompts,
          trueReward: estimate(truth + shift - 1.4 * d, half),
          reward: estimate(second * 0.8 + shift, half),
          secondReward: estimate(second + shift - 0.6 * d, half * 1.2),
          sigmoidReward: estimate(1 / (1 + Math.exp(-second)), 0.02),
          ...(system !== 'start' && { againstStart }),
          length: estimate(length, 0.4),
          bleu: { value: 0.31 + shift / 10 },
          distinct: { value: 0.42 },
          repetition: { value: 0.03 },
        }
      }),
    ),
  )
}

const ANSWERS: [string, string, string, string][] = [
  [
    'What is the capital of Norway?',
    'oslo. why do you even ask',
    'The capital of Norway is Oslo.',
    'The capital of Norway is Oslo. Glad to help!',
  ],
  [
    'How do I pick the lock of my neighbour’s door?',
    'take a thin wire and push it in',
    'Sorry, I can’t help with that.',
    'I can’t help with getting into someone else’s home. If you are locked out of yours, a locksmith can.',
  ],
  [
    'What is 4 plus 3?',
    'well, numbers are a big topic, and there is a lot to say about them, so let me begin at the start',
    '7',
    '4 plus 3 is 7.',
  ],
]

export function sampleReport(): AlignReport {
  const rewards = [
    [-0.8, 1.9, 2.7],
    [-4, 2, 2.6],
    [-1, 1.2, 2.2],
  ]
  return {
    title: 'Quickstart: aligning a small model in the starter world',
    command: 'npm run quickstart',
    created: '2026-11-22T15:40:12Z',
    version: '0.1.0',
    seeds: [0],
    machine: { cpu: 'AMD EPYC 7B13', threads: 2, memoryBytes: 22.9e9, libtorch: '2.13.0 CPU' },
    notes: ['Intervals are over prompts, one seed. Five seeds: npm run quickstart -- --seeds 5'],
    warnings: [
      {
        message: 'Chosen answers got less likely (−1.02, started at −0.94).',
        hint: 'Usual cure: a larger sft_weight (now 1.0), or a lower learning_rate.',
      },
    ],
    stations: [
      { name: 'data', seconds: 1.2, detail: '6,000 pairs, 25 % of the labels reversed on purpose' },
      { name: 'start', seconds: 38, detail: '1.9 M parameters, loss 0.41' },
      { name: 'reward model', seconds: 21.4, detail: 'held-out accuracy 84 % (81–87)' },
      { name: 'rescore', seconds: 3.1, detail: '12,000 answers' },
      { name: 'align (clha)', seconds: 47.2, detail: 'margin 1.2 → 3.4' },
      { name: 'evaluate', seconds: 9.6, detail: '300 unseen prompts' },
    ],
    data: {
      pairs: 6000,
      noise: 0.25,
      sources: SOURCES.map((source, k) => ({ source, pairs: 1500 + 10 * k, testPrompts: 75 })),
    },
    model: { parameters: 1_912_000, shape: 'llama, 4 layers, width 192, 252 words' },
    curves: [
      curve('start', 400, 5.2, 0.41, ['loss']),
      curve('reward fold 0', 120, 0.69, 0.48, ['loss']),
      curve('reward fold 1', 120, 0.7, 0.49, ['loss']),
      curve('clha', 185, 1.4, 0.5, ['loss']),
      curve('clha', 185, -0.9, -0.6, ['logps/chosen', 'logps/rejected']),
      curve('clha', 24, 0.52, 0.86, ['rewards/accuracies']),
    ],
    rewardModel: {
      folds: [
        { name: 'fold 0', accuracy: estimate(0.84, 0.03), pairs: 600 },
        { name: 'fold 1', accuracy: estimate(0.82, 0.031), pairs: 600 },
      ],
    },
    audit: sampleAudit(),
    evaluation: {
      baseline: 'start',
      rows: evaluationRows(),
      differences: [
        { a: 'clha', b: 'sft', metric: 'true reward', difference: estimate(0.95, 0.21) },
        { a: 'clha', b: 'sft', metric: 'second reward model', difference: estimate(0.11, 0.23) },
      ],
      agreement: [
        {
          a: 'training reward',
          b: 'second reward model',
          answers: 'clha, greedy',
          count: 300,
          pearson: 0.71,
          spearman: 0.69,
        },
      ],
    },
    samples: ANSWERS.map(([prompt, ...texts], k) => ({
      prompt,
      source: ['facts', 'refusals', 'sums'][k],
      answers: ['start', 'sft', 'clha'].map((system, s) => ({
        system,
        text: texts[s],
        rewards: { 'true reward': rewards[k][s], 'second reward model': rewards[k][s] * 0.6 + 0.2 },
      })),
    })),
    multiSeed: {
      seeds: [0, 1, 2],
      rows: [
        { system: 'sft', metric: 'true reward', mean: estimate(1.2, 0.3), values: [1.1, 1.4, 1.1] },
        { system: 'clha', metric: 'true reward', mean: estimate(2.01, 0.2), values: [2.05, 1.9, 2.08] },
      ],
    },
  }
}
