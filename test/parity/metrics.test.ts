/** The metrics of the evaluation against sacrebleu, NLTK, rouge-score, statsmodels, scipy and numpy. */
import { corpusBleu, legacyCharBleu } from '../../src/evaluate/bleu.js'
import { corpusChrf } from '../../src/evaluate/chrf.js'
import { scorerAgreement } from '../../src/evaluate/compare.js'
import { splitWords } from '../../src/evaluate/ngrams.js'
import { rougeL, rougeN } from '../../src/evaluate/rouge.js'
import { distinct } from '../../src/evaluate/text-stats.js'
import { calibrate } from '../../src/rescore/calibrate.js'
import { preferenceMetrics } from '../../src/rescore/reliability.js'
import { percentileInterval, wilson } from '../../src/statistics/intervals.js'
import { type AlphaLevel, krippendorffAlpha } from '../../src/statistics/krippendorff.js'
import { holm } from '../../src/statistics/significance.js'
import { mean } from '../../src/statistics/statistics.js'
import { bradleyTerry } from '../../src/statistics/strengths/bradley-terry.js'
import { meanInterval } from '../../src/statistics/t-interval.js'
import { maxDifference } from '../fixtures.js'
import { type Check, json, parity, unequal } from './parity.js'

const TOLERANCE = 1e-9

interface Corpus {
  score: number
  counts: number[]
  totals: number[]
  bp: number
  sys_len: number
  ref_len: number
}

interface Overlap {
  hypotheses: string[]
  references: string[]
  sacrebleu: { '13a': { corpus: Corpus }; '13a_two_references': Corpus & { references: string[][] } }
  chrf: Record<'chrf2' | 'chrf2pp', { corpus: number; sentence: number[] }>
  nltk_char_bleu: { sentence: number[]; mean: number }
  rouge: { plain: Record<string, number[]>[] }
  distinct: Record<string, { corpus: number; sentence: number[] }>
}

function compareBleu(check: Check, { hypotheses, references, sacrebleu, nltk_char_bleu }: Overlap): void {
  const two = sacrebleu['13a_two_references']
  const pairs = hypotheses.map((_, i) => two.references.map((r) => r[i]))
  for (const [where, found, wanted] of [
    ['one reference', corpusBleu(hypotheses, references), sacrebleu['13a'].corpus],
    ['two references', corpusBleu(hypotheses, pairs), two],
  ] as const) {
    check('BLEU', Math.abs(found.score - wanted.score), TOLERANCE, where)
    check('brevity penalty', Math.abs(found.brevityPenalty - wanted.bp), TOLERANCE, where)
    check('counts', unequal([found.counts, found.referenceLength], [wanted.counts, wanted.ref_len]), 0, where)
  }
  // NLTK's values next to zero only have to be next to zero.
  const small = (x: number) => (x < 1e-30 ? 0 : x)
  const found = hypotheses.map((h, i) => legacyCharBleu(h, references[i]))
  const expected = nltk_char_bleu.sentence
  check('character BLEU', maxDifference(found.map(small), expected.map(small)), TOLERANCE)
  check('its mean', Math.abs(mean(found) - nltk_char_bleu.mean), TOLERANCE)
}

parity('metrics/overlap.json', (check) => {
  const overlap = json<Overlap>('metrics/overlap.json')
  compareBleu(check, overlap)
  const { hypotheses, references } = overlap
  for (const name of ['rouge1', 'rouge2', 'rougeL']) {
    const found = hypotheses.flatMap((h, i) => {
      const r = references[i]
      const { precision, recall, f1 } = name === 'rougeL' ? rougeL(h, r) : rougeN(h, r, Number(name.slice(5)))
      return [precision, recall, f1]
    })
    const expected = overlap.rouge.plain.flatMap((row) => row[name])
    check('ROUGE', maxDifference(found, expected), TOLERANCE, name)
  }
  for (const [name, wordOrder] of [
    ['chrf2', 0],
    ['chrf2pp', 2],
  ] as const) {
    const found = [
      corpusChrf(hypotheses, references, { wordOrder }),
      ...hypotheses.map((h, i) => corpusChrf([h], [references[i]], { wordOrder })),
    ]
    const { corpus, sentence } = overlap.chrf[name]
    check('chrF', maxDifference(found, [corpus, ...sentence]), TOLERANCE, name)
  }
  const words = hypotheses.map(splitWords)
  for (const n of [1, 2, 3, 4]) {
    const { corpus, sentence } = overlap.distinct[`whitespace_${n}`]
    const found = [distinct(words, n), ...words.map((w) => distinct([w], n))]
    check('distinct', maxDifference(found, [corpus, ...sentence]), TOLERANCE, `n = ${n}`)
  }
})

interface Intervals {
  proportions: { successes: number; n: number; alpha: number; wilson: [number, number] }[]
  bootstrap: {
    data: number[]
    resample_indices: number[][]
    replicates: number[]
    percentile_95_linear: [number, number]
    t_interval_95: [number, number]
  }
}

parity('metrics/intervals.json', (check) => {
  const { proportions, bootstrap } = json<Intervals>('metrics/intervals.json')
  for (const { successes, n, alpha, wilson: wanted } of proportions) {
    const where = `${successes} of ${n}, alpha ${alpha}`
    check('Wilson', maxDifference(wilson(successes, n, 1 - alpha), wanted), TOLERANCE, where)
  }
  const { data, resample_indices, replicates, percentile_95_linear, t_interval_95 } = bootstrap
  const means = resample_indices.map((row) => mean(row.map((i) => data[i])))
  check('replicates', maxDifference(means.slice(0, replicates.length), replicates), TOLERANCE)
  check('percentile', maxDifference(percentileInterval(means), percentile_95_linear), TOLERANCE)
  check('t', maxDifference(meanInterval(data).interval ?? [], t_interval_95), TOLERANCE)
})

interface Tests {
  permutation_sampled: { x: number[]; y: number[] }
  others: [unknown, { pearson: number; spearman: number }]
  multiple_comparisons: { p: number[]; holm: number[] }
}

parity('metrics/tests.json', (check) => {
  const tests = json<Tests>('metrics/tests.json')
  const sampled = tests.permutation_sampled
  const { pearson, spearman } = scorerAgreement(sampled.x, sampled.y)
  const [, wanted] = tests.others
  check(
    'correlations',
    maxDifference([pearson ?? Number.NaN, spearman ?? Number.NaN], [wanted.pearson, wanted.spearman]),
    TOLERANCE,
  )
  const corrections = tests.multiple_comparisons
  check('corrections', maxDifference(holm(corrections.p), corrections.holm), TOLERANCE)
})

interface Calibration {
  margin: number[]
  label: number[]
  accuracy_ties_half: number
  nll_at_1: number
  brier: number
  ece_10_equal_width_bins_right_closed: number
  temperature: number
  nll_at_temperature: number
  auc: number
}

parity('metrics/calibration.json', (check) => {
  const f = json<Calibration>('metrics/calibration.json')
  const m = preferenceMetrics(f.margin, f.label)
  for (const [what, found, expected] of [
    ['accuracy', m.accuracy, f.accuracy_ties_half],
    ['NLL', m.nll, f.nll_at_1],
    ['Brier', m.brier, f.brier],
    ['ECE', m.ece, f.ece_10_equal_width_bins_right_closed],
    ['AUC', m.auc ?? Number.NaN, f.auc],
  ] as const)
    check(what, Math.abs(found - expected), TOLERANCE)
  const gaps = f.margin.map((d, i) => (f.label[i] === 1 ? d : -d))
  const { temperature } = calibrate(gaps, { labelError: 0, lapse: 0 })
  check('temperature', Math.abs(temperature - f.temperature), 1e-6)
  const { nll } = preferenceMetrics(f.margin, f.label, temperature)
  check('NLL', Math.abs(nll - f.nll_at_temperature), TOLERANCE, 'at the temperature')
})

interface Agreement {
  krippendorff: ({ reliability: (number | null)[][] } & Record<AlphaLevel, number>)[]
}

parity('metrics/agreement.json', (check) => {
  const { krippendorff } = json<Agreement>('metrics/agreement.json')
  const near = (what: string, found: number | null, wanted: number) =>
    check(what, Math.abs((found ?? Number.NaN) - wanted), TOLERANCE)
  for (const { reliability, ...wanted } of krippendorff) {
    const items = reliability[0].map((_, i) => reliability.flatMap((row) => row[i] ?? []))
    for (const level of ['nominal', 'ordinal'] as const)
      near(`alpha, ${level}`, krippendorffAlpha(items, level, { resamples: 0 }).value, wanted[level])
  }
})

interface Ratings {
  models: string[]
  games: [string, string, number][]
  bradley_terry: {
    log_strength: number[]
    standard_error_sum_zero: number[]
    log_likelihood: number
  }
}

parity('metrics/ratings.json', (check) => {
  const { models, games, bradley_terry: wanted } = json<Ratings>('metrics/ratings.json')
  const contests = games.map(([a, b, score]) => ({ a: models.indexOf(a), b: models.indexOf(b), score }))
  const fit = bradleyTerry(contests, models.length)
  check('strengths', maxDifference(fit.strengths, wanted.log_strength), TOLERANCE)
  check('likelihood', Math.abs(fit.logLikelihood - wanted.log_likelihood), TOLERANCE)
  const errors = models.map((_, a) =>
    fit.independentError(models.map((_, k) => Number(k === a) - 1 / models.length)),
  )
  check('errors', maxDifference(errors, wanted.standard_error_sum_zero), TOLERANCE)
})
