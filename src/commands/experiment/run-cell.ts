/** One cell of an experiment: rank, train, answer the test prompts, judge. */
import { join } from 'node:path'
import type { Example } from '../../data/example.js'
import { type Cell, LABELS } from '../../evaluate/cells.js'
import { textStats } from '../../evaluate/text-stats.js'
import { type LanguageModel, loadLanguageModel } from '../../load/language-model.js'
import { quantizedOf } from '../../load/quantized-options.js'
import { loadTrainable } from '../../load/trainable.js'
import { markerOf, needsRewards } from '../../methods/registry.js'
import { rescoreLists } from '../../rescore/rescore.js'
import { openSession, type Session, VERSION } from '../../session/session.js'
import { Stopped } from '../../session/stopped.js'
import { amount } from '../../show/units.js'
import { type Answer, answerPrompts } from '../../stations/answer/answer.js'
import { answerLogProbs } from '../../stations/answer/answer-likelihood.js'
import { likelihoodsOf, type PairNeeds } from '../../stations/evaluate/pair-preferences.js'
import { trainPolicy } from '../../stations/fit/policy.js'
import { plainlyRanked } from '../../stations/rank/ranked-data.js'
import { rescoreOptions } from '../../stations/rank/rescoring.js'
import { winOf } from '../../statistics/agreement.js'
import { mean } from '../../statistics/statistics.js'
import { withMarker } from '../../text/marker.js'
import { type Figures, learntFigures, lossFigures, requirePairs, sixDigits } from './cell-figures.js'
import type { CellPlan } from './plan-cells.js'
import type { Started } from './start.js'

/** Runs a cell in a folder of its own, which a stopped run goes on in. */
export async function runCell(session: Session, plan: CellPlan, started: Started): Promise<Cell> {
  const began = performance.now()
  const figures: Figures = {}
  const folder = plan.untrained ? started.folder : await trainCell(session, plan, started, figures)
  const rewards = await judge(session, plan, started, folder, figures)
  const { variant, noise, augmented, seed, hash, start } = plan
  return {
    hash,
    variant,
    ...(noise !== undefined && { noise }),
    ...(augmented !== undefined && { augmented }),
    seed,
    ...(start.inputs !== undefined && { inputs: start.inputs }),
    learningRate: plan.untrained ? 0 : session.options.learningRate,
    rewards,
    figures: Object.fromEntries(Object.entries(figures).map(([name, x]) => [name, sixDigits(x)])),
    seconds: sixDigits((performance.now() - began) / 1000),
    machine: `${session.hardware.cpu}, ${amount(session.conditions.threads, 'thread')}`,
    version: VERSION,
  }
}

/** Trains in a folder of the plan's own; a plan that starts from another one trains that first, where it is not there yet. */
async function trainCell(
  session: Session,
  plan: CellPlan,
  started: Started,
  figures: Figures,
): Promise<string> {
  const { options } = session
  const { learningRate, numTrainEpochs: epochs, maxSteps, method: kind, outputDir } = options
  const earlier = plan.before && (await openSession(plan.before.config, session.ui))
  const folder = plan.before && earlier ? await trainCell(earlier, plan.before, started, {}) : started.folder
  const scored = await started.scored(plan.augmented ?? 0)
  // Labels as they stand need no calibration, which could not tell how far to trust them.
  const { lists, audit } = needsRewards(options)
    ? rescoreLists({ ...scored, options: rescoreOptions(options, started.truth) })
    : { lists: plainlyRanked(options, scored).lists }
  const orders = await started.right?.(plan.augmented ?? 0)
  Object.assign(figures, learntFigures(options, lists, { audit, orders }))
  if (!plan.fewPairs) requirePairs(figures)
  const lm = await loadTrainable(session, folder)
  try {
    const dir = join(outputDir, 'cells', plan.hash.slice(0, 12))
    const training = { kind, dir, files: started.files, learningRate, epochs, maxSteps, stage: true }
    const run = await trainPolicy(session, lm, { ...scored, lists }, training)
    if (run.outcome.stopped) throw new Stopped()
    Object.assign(figures, lossFigures(dir), { steps: run.outcome.step })
    return run.model
  } finally {
    lm.model.dispose()
  }
}

/** Rewards of greedy answers prompt by prompt, of sampled ones in the mean; these also tell the distance to the start. */
async function judge(
  session: Session,
  { variant }: CellPlan,
  { lm: start, set, labelled, scorers, trueReward }: Started,
  folder: string,
  figures: Figures,
): Promise<Cell['rewards']> {
  const { options, dtype } = session
  const plain = await loadLanguageModel(folder, dtype, options.chatTemplate, quantizedOf(options, 'all'))
  const marker = markerOf(options)
  const template = marker === undefined ? plain.template : withMarker(plain.template, marker)
  const lm: LanguageModel = { ...plain, template }
  try {
    const greedy = await answerPrompts(session, lm, set.prompts, { label: variant, temperature: 0 })
    const sampled = await answerPrompts(session, lm, set.prompts, {
      label: `${variant}, T 1`,
      temperature: 1,
    })
    const texts = greedy.map(({ text }) => text)
    const rewards: Cell['rewards'] = {}
    if (labelled.length > 0) rewards[LABELS] = await labelsLikelier(session, lm, labelled, variant)
    const keep = (name: string, values: readonly number[]) => {
      rewards[name] = values.map((x) => Number(x.toFixed(4)))
    }
    if (trueReward) {
      keep(
        'true',
        texts.map((text, i) => trueReward(i, text)),
      )
      figures.sampled_true = mean(sampled.map(({ text }, i) => trueReward(i, text)))
    }
    for (const scorer of [...scorers].reverse()) {
      keep(scorer.name, await scorer.score(set.prompts, texts))
      const drawn = sampled.map(({ text }) => text)
      figures[`sampled_${scorer.name}`] = mean(await scorer.score(set.prompts, drawn))
    }
    const { distinct2, repetition } = textStats(texts)
    Object.assign(figures, { distinct2, repetition, length: mean(greedy.map(({ ids }) => ids.length)) })
    figures.kl = await klToStart(session, lm, start, set.prompts, sampled)
    return rewards
  } finally {
    plain.model.dispose()
  }
}

/** Of each label of people whether the policy agrees: 1 where the preferred answer is the likelier one per token, half for a tie. */
async function labelsLikelier(
  session: PairNeeds,
  policy: LanguageModel,
  labelled: readonly Example[],
  name: string,
): Promise<number[]> {
  const likelihoods = await likelihoodsOf(session, policy, labelled, name)
  return labelled.flatMap(({ preferences }, row) => {
    const own = likelihoods.get(row)?.perToken
    return own ? preferences.map(({ better, worse }) => winOf(own[better] - own[worse])) : []
  })
}

/** Mean over sampled answers of log p(answer) - log p_start(answer), in nats an answer: an unbiased estimate of the KL. */
async function klToStart(
  { options }: Session,
  policy: LanguageModel,
  start: LanguageModel,
  prompts: Started['set']['prompts'],
  answers: readonly Answer[],
): Promise<number> {
  const p = await answerLogProbs(options, policy, prompts, answers)
  const q = await answerLogProbs(options, start, prompts, answers)
  return mean(p.map((x, i) => x - q[i]))
}
