/**
 * Chain of hindsight, arXiv 2302.02676: pairs become sequences with feedback in words, the loss on the answers alone. The
 * paper's four forms (better alone, worse alone, worse then better, better then worse) have four answers to learn between
 * them: each marked answer behind the prompt, which stands in two forms, and each behind the other one. The sequences are
 * those answers, weighted so; the batch of plain text that the paper mixes in is left out.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Example } from '../data/example.js'
import type { RankedList } from '../rescore/ranked.js'
import { parseRunManifest, RUN_FILE } from '../runs/run-manifest.js'
import type { ChatTemplate } from '../text/template.js'
import type { TrainItem } from '../train/items.js'
import { encodeData } from './data.js'
import type { LanguageModel } from './language-model.js'
import { pairsOf } from './policy-items.js'
import type { Session } from './session.js'

/** Templates that carry a marker already. */
const marked = new WeakSet<ChatTemplate>()

/** The template whose prompts end in a marker; answers begin with a space. */
export function withMarker(template: ChatTemplate, marker: string): ChatTemplate {
  const wrapped: ChatTemplate = {
    ...template,
    prompt: (prompt) => template.prompt(prompt) + marker,
    answer: (text, prompt) => {
      const answer = template.answer(text, prompt)
      return /^\s/.test(answer) ? answer : ` ${answer}`
    },
  }
  marked.add(wrapped)
  return wrapped
}

export interface Sequence {
  example: Example
  weight: number
}

/** The sequences of a list, as literal text with one answer each. */
export function hindsight(
  list: RankedList,
  pairs: readonly { better: number; worse: number; weight: number }[],
  template: ChatTemplate,
  markers: { positive: string; negative: string },
): Sequence[] {
  const { example } = list
  const [good, bad] = [markers.positive, markers.negative].map((marker) => withMarker(template, marker))
  return pairs
    .filter(({ weight }) => weight > 0)
    .flatMap(({ better, worse, weight }, k) => {
      const prompt = template.prompt(example.prompt)
      const told = (side: ChatTemplate, index: number) => {
        const answer = side.answer(example.candidates[index].text, example.prompt)
        return { answer, marker: side.prompt(example.prompt).slice(prompt.length) }
      }
      const [up, down] = [told(good, better), told(bad, worse)]
      const forms: [string, string, number][] = [
        [prompt + up.marker, up.answer, 2],
        [prompt + down.marker, down.answer, 2],
        [prompt + down.marker + down.answer + up.marker, up.answer, 1],
        [prompt + up.marker + up.answer + down.marker, down.answer, 1],
      ]
      return forms.map(([before, answer, times], form) => ({
        weight: weight * times,
        example: {
          ...example,
          id: `${example.id}#${k}.${form}`,
          prompt: before,
          candidates: [{ text: answer }],
          preferences: [],
        },
      }))
    })
}

export async function hindsightItems(
  session: Session,
  lm: LanguageModel,
  lists: readonly RankedList[],
): Promise<TrainItem[]> {
  const { cohPositive: positive, cohNegative: negative, listPairs } = session.options
  const sequences = lists.flatMap((list) =>
    hindsight(list, pairsOf(list, listPairs), lm.template, { positive, negative }),
  )
  const weights = new Map(sequences.map(({ example, weight }) => [example, weight]))
  const all = sequences.map(({ example }) => example)
  const { examples, encoded } = await encodeData(session, lm, all, 1)
  return examples.map((example, i) => ({
    encoded: encoded[i],
    pairs: [],
    sft: { index: 0, weight: weights.get(example) as number },
    labels: [],
  }))
}

/** The template under which a model answers: with the positive marker where the run that made it says so. */
export function answeringTemplate({ tokenizer, template }: LanguageModel): ChatTemplate {
  if (marked.has(template)) return template
  const path = join(dirname(tokenizer.dir), RUN_FILE)
  const config = existsSync(path) ? parseRunManifest(readFileSync(path, 'utf8'))?.config : undefined
  const marker = config?.method === 'coh' ? config.coh_positive : undefined
  return typeof marker === 'string' ? withMarker(template, marker) : template
}
