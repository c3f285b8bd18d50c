/** What a model's generation_config.json asks for beside its end tokens: no command samples by it, and that is said. */
import type { Options } from '../config/options.js'
import type { Json } from '../files/json.js'
import { camelCase } from '../key-names.js'
import type { Needs } from '../session/needs.js'

/** Keys that decide which token comes next, with the value that changes nothing. The first ones hold where sampling is asked for. */
const OF_SAMPLING = {
  temperature: 1,
  top_p: 1,
  top_k: 0,
  min_p: 0,
  typical_p: 1,
  epsilon_cutoff: 0,
  eta_cutoff: 0,
}
const OF_ALL = { repetition_penalty: 1, no_repeat_ngram_size: 0 }

type Decoding = Pick<Options, 'temperature' | 'topP' | 'topK'>

/** Settings of a generation_config.json that decide over tokens and that the options don't repeat, such as `top_p 0.8`. */
export function unusedSettings(file: Json, options: Decoding): string[] {
  const neutral = Object.entries({ ...(file.do_sample === true && OF_SAMPLING), ...OF_ALL })
  return neutral
    .filter(([key, nothing]) => {
      const asked = file[key]
      return (
        typeof asked === 'number' && asked !== nothing && asked !== options[camelCase(key) as keyof Decoding]
      )
    })
    .map(([key]) => `${key} ${file[key]}`)
}

/**
 * @param file the tokenizer's `generation`
 * @param model its name, where several models answer
 */
export function sayUnusedSettings({ ui, options }: Needs<Decoding, 'ui'>, file: Json, model?: string): void {
  const unused = unusedSettings(file, options)
  if (unused.length === 0) return
  const whose = model === undefined ? '' : `${model}'s `
  ui.line(
    `of ${whose}generation_config.json ${unused.join(', ')} not used: answers go by temperature, top_p and top_k of this command`,
  )
}
