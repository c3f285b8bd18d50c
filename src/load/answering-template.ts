/** How a model is asked: the template of its dialogues, with the marker that its training taught it (chain of hindsight). */
import { camelKeys } from '../key-names.js'
import { runAround } from '../runs/run-around.js'
import { hasMarker, withMarker } from '../text/marker.js'
import type { ChatTemplate } from '../text/template.js'
import type { LanguageModel } from './language-model.js'

/** The template under which a model answers: with the positive marker where the run that made it says so. */
export async function answeringTemplate({ tokenizer, template }: LanguageModel): Promise<ChatTemplate> {
  if (hasMarker(template)) return template
  const config = runAround(tokenizer.dir)?.manifest.config
  if (config === undefined) return template
  const { markerOf } = await import('../methods/registry.js')
  const marker = markerOf(camelKeys(config))
  return marker !== undefined ? withMarker(template, marker) : template
}
