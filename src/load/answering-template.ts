/** How a model is asked: the template of its dialogues, with the marker that its training taught it (chain of hindsight). */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { camelKeys } from '../key-names.js'
import { parseRunManifest, RUN_FILE } from '../runs/run-manifest.js'
import { hasMarker, withMarker } from '../text/marker.js'
import type { ChatTemplate } from '../text/template.js'
import type { LanguageModel } from './language-model.js'

/** The template under which a model answers: with the positive marker where the run that made it says so. */
export async function answeringTemplate({ tokenizer, template }: LanguageModel): Promise<ChatTemplate> {
  if (hasMarker(template)) return template
  const path = join(dirname(tokenizer.dir), RUN_FILE)
  const config = existsSync(path) ? parseRunManifest(readFileSync(path, 'utf8'))?.config : undefined
  if (config === undefined) return template
  const { markerOf } = await import('../methods/registry.js')
  const marker = markerOf(camelKeys(config))
  return marker !== undefined ? withMarker(template, marker) : template
}
