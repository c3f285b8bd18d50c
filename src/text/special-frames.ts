/** The special tokens that a tokenizer puts around one text or a pair, read from its post-processor. */
import type { Json } from '../files/json.js'

export interface SingleFrame {
  before: number[]
  after: number[]
}

export interface PairFrame extends SingleFrame {
  between: number[]
}

export interface SpecialFrames {
  single: SingleFrame
  /** Only where the tokenizer has a form for pairs. */
  pair?: PairFrame
}

const NONE: SpecialFrames = { single: { before: [], after: [] } }

export function specialFrames(processor: Json | null | undefined): SpecialFrames {
  if (!processor) return NONE
  if (processor.type === 'Sequence') {
    const parts = (processor.processors as Json[]).map(specialFrames)
    return parts.find(({ single, pair }) => pair || single.before.length + single.after.length > 0) ?? NONE
  }
  if (processor.type === 'BertProcessing' || processor.type === 'RobertaProcessing') {
    const cls = (processor.cls as [string, number])[1]
    const sep = (processor.sep as [string, number])[1]
    const between = processor.type === 'RobertaProcessing' ? [sep, sep] : [sep]
    return {
      single: { before: [cls], after: [sep] },
      pair: { before: [cls], between, after: [sep] },
    }
  }
  return processor.type === 'TemplateProcessing' ? fromTemplate(processor) : NONE
}

function fromTemplate(processor: Json): SpecialFrames {
  const [before = [], after = []] = pieces(processor, 'single')
  const [start = [], between = [], end = []] = pieces(processor, 'pair')
  // A tokenizer without a form for pairs has the default one: the two texts, one behind the other.
  const isPair = between.length > 0 && end.length > 0
  return {
    single: { before, after },
    pair: isPair ? { before: start, between, after: end } : undefined,
  }
}

/** Special ids before, between and behind the texts. */
function pieces(processor: Json, form: 'single' | 'pair'): number[][] {
  const tokens = (processor.special_tokens ?? {}) as Record<string, { ids: number[] }>
  const out: number[][] = [[]]
  for (const piece of (processor[form] ?? []) as Json[]) {
    const special = piece.SpecialToken as { id: string } | undefined
    if (special) out[out.length - 1].push(...(tokens[special.id]?.ids ?? []))
    else out.push([])
  }
  return out
}
