/** How a model is asked: the template of its dialogues, with the marker that its training taught it (chain of hindsight). */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { camelKeys } from '../key-names.js'
import { markerOf } from '../methods/registry.js'
import { parseRunManifest, RUN_FILE } from '../runs/run-manifest.js'
import { hasMarker, withMarker } from '../text/marker.js'
import type { ChatTemplate } from '../text/template.js'
import type { LanguageModel } from './language-model.js'

/** The template under which a model answers: with the positive marker where the run that made it says so. */
export function answeringTemplate({ tokenizer, template }: LanguageModel): ChatTemplate {
  if (hasMarker(template)) return template
  const path = join(dirname(tokenizer.dir), RUN_FILE)
  const config = existsSync(path) ? parseRunManifest(readFileSync(path, 'utf8'))?.config : undefined
  const marker = config && markerOf(camelKeys(config))
  return marker !== undefined ? withMarker(template, marker) : template
}
