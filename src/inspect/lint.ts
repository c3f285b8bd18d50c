/** All checks of a data set, row by row, with a count of what they find. */
import type { Example } from '../data/example.js'
import type { ReadFault } from '../data/read/row-fault.js'
import { answerFindings } from './answer-rules.js'
import { type Finding, finding, type RuleCode } from './findings.js'
import { createLabelRules } from './label-rules.js'
import { createLeakRules } from './leak-rules.js'
import { createLabelLengths, type LabelLengths } from './length-bias.js'
import { textFindings } from './text-rules.js'

/** What a code found so far, with the places of the first findings. */
export interface RuleCount {
  count: number
  first: Finding[]
}

export interface Lint {
  /** Takes a row of the data that this one is compared with; before the first `check`. */
  remember(example: Example): void
  check(example: Example): Finding[]
  fault(fault: ReadFault): Finding
  /** Findings about the data as a whole. */
  finish(): Finding[]
  counts: ReadonlyMap<RuleCode, RuleCount>
  lengthBias(): LabelLengths | undefined
}

/** Findings kept per code. */
const KEPT = 1000

/** @param similarity from which a prompt is nearly one of the other data, when there is any */
export function createLint({ similarity }: { similarity?: number } = {}): Lint {
  const labels = createLabelRules()
  const leaks = similarity === undefined ? undefined : createLeakRules(similarity)
  const bias = createLabelLengths()
  const counts = new Map<RuleCode, RuleCount>()
  const counted = (findings: Finding[]) => {
    for (const item of findings) {
      const entry = counts.get(item.code) ?? { count: 0, first: [] }
      counts.set(item.code, entry)
      entry.count++
      if (entry.first.length < KEPT) entry.first.push(item)
    }
    return findings
  }
  return {
    remember: (example) => leaks?.remember(example),
    check(example) {
      bias.add(example)
      return counted([
        ...textFindings(example),
        ...answerFindings(example),
        ...labels(example),
        ...(leaks?.check(example) ?? []),
      ])
    },
    fault(fault) {
      const code = fault.kind === 'structural' ? 'unreadable' : 'unusable'
      const found = finding(code, `${fault.code}: ${fault.reason}`, fault)
      return counted([found])[0]
    },
    finish: () => counted(biasFindings(bias.result())),
    counts,
    lengthBias: bias.result,
  }
}

/** From these on a bias is no slight one. */
const EFFECT = 0.5
const SHARE = 0.65

function biasFindings(bias: LabelLengths | undefined): Finding[] {
  if (!bias) return []
  const { interval, betterIsLonger: share, effect, pairs } = bias
  if (interval[0] <= 0.5 && interval[1] >= 0.5) return []
  const percent = (x: number) => (100 * x).toFixed(1)
  const side = share >= 0.5 ? 'longer' : 'shorter'
  const [low, high] = share >= 0.5 ? interval : [1 - interval[1], 1 - interval[0]]
  const most = Math.max(share, 1 - share)
  const message =
    `the better answer is the ${side} one in ${percent(most)} % (${percent(low)}–${percent(high)}) of ${pairs} pairs; ` +
    `Cohen's d ${effect.toFixed(2)}`
  const code = Math.abs(effect) >= EFFECT || most >= SHARE ? 'length_bias' : 'slight_length_bias'
  return [finding(code, message)]
}

/** `file:row  message`, or the message alone. */
export const findingText = ({ file, row, message }: Finding): string =>
  file === undefined ? message : `${file}:${row}  ${message}`
