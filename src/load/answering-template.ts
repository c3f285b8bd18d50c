/** How a model is asked: the template of its dialogues, with the marker that its training taught it (chain of hindsight). */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseRunManifest, RUN_FILE } from '../runs/run-manifest.js'
import type { ChatTemplate } from '../text/template.js'
import type { LanguageModel } from './language-model.js'

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
/** The template under which a model answers: with the positive marker where the run that made it says so. */
export function answeringTemplate({ tokenizer, template }: LanguageModel): ChatTemplate {
  if (marked.has(template)) return template
  const path = join(dirname(tokenizer.dir), RUN_FILE)
  const config = existsSync(path) ? parseRunManifest(readFileSync(path, 'utf8'))?.config : undefined
  const marker = config?.method === 'coh' ? config.coh_positive : undefined
  return typeof marker === 'string' ? withMarker(template, marker) : template
}
