/** What `clha explain` says: numbers first, each with where it came from, then what would change them. */

import { promptText } from '../../dialogue.js'
import type { Explained, ExplainedPair, ExplainRules } from '../../rescore/explain.js'
import type { ExplainedLoss } from '../../rescore/explain-loss.js'
import type { RankedList } from '../../rescore/ranked.js'
import { oneLine } from '../../show/printable.js'
import { tableOf } from '../../show/table.js'
import { figure, percent } from '../../show/units.js'
import type { Ui } from '../../terminal/ui.js'

export interface Explanation {
  list: RankedList
  rules: ExplainRules
  explained: Explained
  loss?: ExplainedLoss
  margin: number
  marginScale: 'constant' | 'rank'
  sftWeight: number
}

/** A name for each answer: A, B, …; numbers where there are more than 26. */
export const letters = ({ rewards }: Pick<RankedList, 'rewards'>): string[] =>
  rewards.map((_, i) => (rewards.length > 26 ? String(i + 1) : String.fromCharCode(65 + i)))

export function sayExplained(ui: Ui, explanation: Explanation): void {
  const { list, loss } = explanation
  const { example } = list
  ui.station(`${example.file}:${example.row}`, `${example.id} · ${list.rewards.length} answers`)
  ui.line(`  ${oneLine(promptText(example.prompt), 160)}`)
  sayRewards(ui, explanation)
  section(ui, '2 beliefs', beliefLines(explanation))
  section(ui, '3 order', orderLines(explanation))
  section(ui, '4 labels', labelLines(explanation))
  section(
    ui,
    '5 pairs',
    explanation.explained.pairs.map((pair) => pairLine(explanation, pair)),
  )
  section(ui, '6 gate', gateLines(explanation))
  section(
    ui,
    '7 loss',
    loss ? lossLines(explanation, loss) : ['no model is given: model_name_or_path adds it'],
  )
  section(ui, 'what would change it', [
    ...explanation.explained.pairs.flatMap((p) => changes(explanation, p)),
    ...gateChange(explanation),
  ])
}

function section(ui: Ui, title: string, lines: readonly string[]): void {
  ui.line('')
  ui.station(title)
  for (const line of lines) ui.line(`  ${line}`)
}

function sayRewards(ui: Ui, { list, rules, loss }: Explanation): void {
  ui.line('')
  if (rules.mode === 'legacy') ui.station('1 rewards', 'legacy: raw, as they are')
  else
    ui.station(
      '1 rewards',
      `one unit T is ${figure(rules.scale.temperature)} · a label is wrong with e = ${figure(rules.scale.labelError)}`,
    )
  const names = letters(list)
  const rows = list.example.candidates.map(({ text, origin }, i) => ({
    answer: names[i],
    reward: list.rewards[i],
    ...(rules.mode === 'default' && { unit: list.rewards[i] / rules.scale.temperature }),
    ...(loss && { mean: loss.means[i] }),
    origin: origin ?? '',
    text: oneLine(text, 60),
  }))
  ui.table(
    tableOf(rows, [
      { key: 'answer' },
      { key: 'reward' },
      ...(rules.mode === 'default' ? [{ key: 'unit', title: 'r / T' }] : []),
      ...(loss ? [{ key: 'mean', title: 'log p per token' }] : []),
      { key: 'origin', title: 'from' },
      { key: 'text' },
    ]),
  )
}

const pairName = ({ list }: Explanation, { better, worse }: { better: number; worse: number }): string => {
  const names = letters(list)
  return `${names[better]} over ${names[worse]}`
}

function beliefLines(e: Explanation): string[] {
  const { rules, explained } = e
  if (rules.mode === 'legacy') return ['none: the order of the rewards is taken for certain']
  const how = {
    posterior: 'log-odds = reward gap / T, and the label',
    agreement: 'log-odds = reward gap / T, and the label; nothing where these two disagree',
    reward: 'log-odds = reward gap / T; labels do not count (label_source: reward)',
    human: 'log-odds = the label alone (label_source: human)',
  }[rules.labelSource]
  const several = (rules.scale.plausible?.length ?? 0) > 1
  const lines = explained.pairs.map((pair) => {
    const { temperature, lapse = 0 } = pair.scale ?? rules.scale
    const over = lapse > 0 ? `, lapse ${percent(lapse)},` : ''
    const reward =
      rules.labelSource === 'human'
        ? ''
        : `${figure(pair.gap)} / ${figure(temperature)}${over} = ${figure(pair.fromReward)}`
    const label = pair.fromLabel === 0 ? '' : `label ${signed(pair.fromLabel)}`
    const parts = [reward, label].filter((part) => part !== '').join(', ')
    return `${pairName(e, pair)}: ${parts || 'nothing known'} → log-odds ${figure(pair.logit)}, belief ${percent(pair.belief)}`
  })
  const least =
    'T, lapse and e are not known exactly: of what is plausible, that which leaves a pair least sure'
  return [how, ...(several ? [least] : []), ...lines]
}

function orderLines({ list, rules, explained }: Explanation): string[] {
  const names = letters(list)
  const { meanBeliefs } = explained
  const by = rules.mode === 'legacy' ? 'by falling reward' : 'by mean belief of being better than another'
  return [
    `${explained.order.map((i) => (meanBeliefs ? `${names[i]} (${percent(meanBeliefs[i])})` : names[i])).join(', ')}   ${by}`,
  ]
}

function labelLines(e: Explanation): string[] {
  const { labels } = e.explained
  if (labels.length === 0) return ['nobody compared these answers']
  return labels.map((label) => `${pairName(e, label)}: ${label.verdict}, right with ${percent(label.belief)}`)
}

function pairLine(e: Explanation, pair: ExplainedPair): string {
  const { rules } = e
  const name = pairName(e, pair)
  if (rules.mode === 'legacy') {
    const than = `reward gap ${figure(pair.gap)}, threshold ${figure(rules.threshold)}`
    return pair.weight > 0 ? `${name}: contrasted, weight 1 (${than})` : `${name}: left alone (${than})`
  }
  const why = {
    kept: rules.pairWeight === 'soft' ? `2 · ${figure(pair.belief)} − 1` : 'pair_weight: hard',
    unsure: `${percent(pair.belief)} is below min_confidence ${percent(rules.minConfidence)}`,
    tie: 'either may be better',
    undecided: 'which is better depends on how often labels err, and that is not known well enough',
    contradicted: 'label and reward disagree (label_source: agreement)',
    'gap below threshold': '',
  }[pair.reason]
  return pair.weight > 0
    ? `${name}: contrasted, weight ${figure(pair.weight)} (${why})`
    : `${name}: left alone (${why})`
}

function gateLines({ list, rules, explained }: Explanation): string[] {
  const { index, reward, level, above, weight } = explained.gate
  const name = letters(list)[index]
  if (rules.mode === 'default' && rules.sftGate === 'off')
    return [`${name} is kept likely, gate 1 (sft_gate: off)`]
  if (level === undefined || above === undefined) return [`${name} is kept likely, gate ${figure(weight)}`]
  if (rules.mode === 'default' && rules.sftGate === 'soft') {
    const sum = `(${figure(reward)} − ${figure(level)}) / ${figure(rules.scale.temperature)} = ${figure(above)}`
    return [`${name} is kept likely: reward − level, in units: ${sum} → gate ${figure(weight)}`]
  }
  return [
    `${name}: reward ${figure(reward)} is ${above > 0 ? 'above' : 'not above'} the level ${figure(level)} → gate ${figure(weight)}`,
  ]
}

function lossLines(e: Explanation, loss: ExplainedLoss): string[] {
  const pairs = loss.pairs.map((p) => {
    const pulled =
      p.hinge > 0
        ? `hinge ${figure(p.margin)} − ${figure(p.lead)} = ${figure(p.hinge)}`
        : `ahead by ${figure(p.lead)}, the margin ${figure(p.margin)} is reached: no pull`
    return `${pairName(e, p)}: ${pulled}, times weight ${figure(p.weight)}`
  })
  const { clha, sft, total } = loss.alone
  return [
    ...pairs,
    `contrast: ${figure(loss.contrast)} over weight ${figure(loss.contrastWeight)} · SFT: ${figure(loss.sft)} nats over ${figure(loss.sftDenominator)}, times ${figure(e.sftWeight)}`,
    `if this list were the whole step: ${figure(clha)} + ${figure(sft)} = ${figure(total)} (a step divides the sums of all its lists)`,
  ]
}

function changes(e: Explanation, pair: ExplainedPair): string[] {
  const { rules } = e
  const name = pairName(e, pair)
  const now = `now ${figure(pair.gap)}`
  const confidence = rules.mode === 'legacy' ? 'reward_threshold' : 'min_confidence'
  const turns =
    pair.turnsBelow === undefined ? '' : `; below ${figure(pair.turnsBelow)} it stands the other way round`
  if (pair.weight > 0) {
    const alone =
      pair.keptFrom === undefined
        ? ''
        : `left alone with a reward gap ${rules.mode === 'legacy' ? 'of' : 'below'} ${figure(pair.keptFrom)} (${now})${turns}, or `
    return [
      `${name}: ${alone}${alone ? '' : 'left alone '}with a ${confidence} ${rules.mode === 'legacy' ? 'of' : 'above'} ${figure(pair.keptUpTo)}`,
    ]
  }
  if (pair.reason === 'tie')
    return [
      `${name}: any evidence decides: a label, or a reward gap${pair.keptFrom === undefined ? '' : ` of ${figure(pair.keptFrom)}`}`,
    ]
  if (pair.reason === 'contradicted')
    return [
      `${name}: kept once the reward no longer speaks against the label, or with label_source: posterior if sure enough`,
    ]
  const gap =
    pair.keptFrom === undefined
      ? ''
      : `kept with a reward gap ${rules.mode === 'legacy' ? 'above' : 'of'} ${figure(pair.keptFrom)} (${now}), or `
  return [
    `${name}: ${gap}${gap ? '' : 'kept '}with a ${confidence} ${rules.mode === 'legacy' ? 'below' : 'of'} ${figure(pair.keptUpTo)}${rules.mode === 'default' && rules.minConfidence > 0.5 ? ' at most' : ''}`,
  ]
}

function gateChange({ list, rules, explained }: Explanation): string[] {
  const { index, reward, level, weight } = explained.gate
  const name = letters(list)[index]
  if (rules.mode === 'default' && rules.sftGate === 'off') return []
  if (rules.mode === 'default' && rules.sftGate === 'soft') {
    const from = level === undefined ? '' : ` (it is ${figure(level)})`
    return [
      `gate: half open where the level is the reward of ${name}, ${figure(reward)}${from}; further open below, further shut above`,
    ]
  }
  return [
    weight > 0
      ? `gate: shut with a gate_level of ${figure(reward)} or more`
      : `gate: open with a gate_level below ${figure(reward)}`,
  ]
}

const signed = (x: number): string => (x > 0 ? `+${figure(x)}` : figure(x))
