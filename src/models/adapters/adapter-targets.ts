/** Which modules of a model an adapter acts on: PEFT's rules for names. */
import { usageError } from '../../errors.js'
import type { Projection } from '../../nn/projection.js'
import type { Decoder } from '../decoder/decoder.js'
import { BLOCK_PLACES } from '../decoder/decoder-config.js'
import { blockName } from '../folders/weights.js'
import type { AdapterConfig } from './adapter-config.js'

export const ALL_LINEAR = 'all-linear'

/** The linear maps but the head by module name, such as `model.layers.0.self_attn.q_proj`: those of PEFT's all-linear. */
export function linearMaps({ config, blocks, projectIn, projectOut }: Decoder): Map<string, Projection> {
  const found = new Map<string, Projection>()
  blocks.forEach((block, layer) => {
    for (const place of BLOCK_PLACES) {
      const name = place.endsWith('Norm') ? undefined : blockName(config, layer, place)
      if (name) found.set(name, block[place] as Projection)
    }
  })
  const { prefix, ...names } = config.names
  if (projectIn) found.set(`${prefix}${names.projectIn}`, projectIn)
  if (projectOut) found.set(`${prefix}${names.projectOut}`, projectOut)
  return found
}

/** Module names of the embedding and of a language model's head: they take low-rank maps when they are named. */
export function vocabularyModules({ config: { names }, head }: Pick<Decoder, 'config' | 'head'>): {
  embedding: string
  head?: string
} {
  return { embedding: names.prefix + names.embedding, head: head === 'lm' ? names.lmHead : undefined }
}

/** Name of the weight of a module: a head that is the embedding has none of its own. */
export function weightOf(model: Pick<Decoder, 'config' | 'head'>, module: string): string {
  const { embedding, head } = vocabularyModules(model)
  return `${module === head && model.config.tieWordEmbeddings ? embedding : module}.weight`
}

/** Python's re.fullmatch. @throws ClhaError (exit 2) for what is no regular expression here */
function fullMatch(pattern: string, text: string): boolean {
  try {
    return new RegExp(`^(?:${pattern.replaceAll('(?P<', '(?<')})$`, 's').test(text)
  } catch {
    throw usageError(`target_modules: ${JSON.stringify(pattern)} is no regular expression`)
  }
}

/** Whether a list of suffixes, or a regular expression for the whole name, names a module. */
export const isNamed = (names: string | readonly string[], module: string): boolean =>
  typeof names === 'string'
    ? fullMatch(names, module)
    : names.some((name) => module === name || module.endsWith(`.${name}`))

/** Whether `modules_to_save` names a module or one that holds it: PEFT compares the ends of names, letter by letter. */
export const isSaved = (names: readonly string[], module: string): boolean =>
  module.split('.').some((_, i, parts) => {
    const holder = parts.slice(0, i + 1).join('.')
    return names.some((name) => holder.endsWith(name))
  })

function inLayers(
  module: string,
  layers: readonly number[],
  patterns: readonly string[] | undefined,
): boolean {
  const expressions = patterns?.length
    ? patterns.map((p) => `.*\\.${p}\\.(\\d+)\\.`)
    : ['.*\\.[^.]*\\.(\\d+)\\.']
  const match = expressions.map((e) => new RegExp(`^${e}`).exec(module)).find((m) => m !== null)
  return match !== undefined && match !== null && layers.includes(Number(match[1]))
}

/**
 * Names of the linear maps, of the embedding and of the LM head that `target_modules` names; `all-linear` names only the first.
 * @throws ClhaError (exit 2) when it names none, or (`strict`) when one of its names does
 */
export function targetsOf(model: Decoder, config: AdapterConfig, strict: boolean): string[] {
  const { targetModules: wanted, excludeModules, layersToTransform, layersPattern, modulesToSave } = config
  const linear = [...linearMaps(model).keys()]
  const { embedding, head } = vocabularyModules(model)
  const all = [...linear, embedding, ...(head ? [head] : [])]
  const chosen = (wanted === ALL_LINEAR ? linear : all).filter(
    (name) =>
      (wanted === ALL_LINEAR || isNamed(wanted, name)) &&
      !isSaved(modulesToSave, name) &&
      !(excludeModules !== undefined && isNamed(excludeModules, name)) &&
      (layersToTransform === undefined || inLayers(name, layersToTransform, layersPattern)),
  )
  const idle =
    chosen.length === 0
      ? wanted.length === 1
        ? wanted[0]
        : wanted
      : strict && typeof wanted !== 'string'
        ? wanted.find((suffix) => !all.some((name) => isNamed([suffix], name)))
        : undefined
  if (idle !== undefined) {
    const kinds = [...new Set(all.map((name) => name.split('.').at(-1)))]
    throw usageError(
      `target_modules: ${JSON.stringify(idle)} names no linear map of this model`,
      `there are ${kinds.join(', ')}; what else is trained whole is named by modules_to_save`,
    )
  }
  return chosen
}

/** Names of weights whose module `modules_to_save` names. @throws ClhaError (exit 2) for a name that fits nothing */
export function savedWeights(
  model: Decoder,
  modules: readonly string[],
  optional: readonly string[],
): string[] {
  const moduleOf = (weight: string) => weight.replace(/\.(weight|bias)$/, '')
  const weights = [...model.weights.keys()]
  for (const module of modules) {
    if (optional.includes(module) || weights.some((weight) => isSaved([module], moduleOf(weight)))) continue
    const tied = module === model.config.names.lmHead && model.config.tieWordEmbeddings
    throw usageError(
      `modules_to_save: "${module}" names no module of this model`,
      tied
        ? 'the LM head is the embedding: name that instead'
        : 'give names such as embed_tokens, lm_head or score',
    )
  }
  const chosen = weights.filter((weight) => isSaved(modules, moduleOf(weight)))
  const turned = model.config.names.transposed ? linearMaps(model) : new Map()
  const refused = chosen.map(moduleOf).find((module) => turned.has(module))
  if (refused !== undefined)
    throw usageError(
      `modules_to_save: ${refused} can't be trained whole`,
      'give it a low-rank map: lora_target_modules',
    )
  return chosen
}

/** Name of the embedding where it is the LM head too, and these modules include it. */
export function savedTie({ head, config }: Decoder, saved: readonly string[]): string | undefined {
  const { names, tieWordEmbeddings } = config
  const embedding = names.prefix + names.embedding
  return head === 'lm' && tieWordEmbeddings && isSaved(saved, embedding) ? embedding : undefined
}

/** PEFT keeps an embedding and a head that are one matrix together only under this name. */
export const canStayTied = (embedding: string): boolean => isNamed(['embed_tokens'], embedding)

/** PEFT's `rank_pattern` and `alpha_pattern`: the first expression that fits the end of a name, else `fallback`. */
export function patterned(patterns: Record<string, number>, module: string, fallback: number): number {
  for (const [pattern, value] of Object.entries(patterns))
    if (fullMatch(`(?:.*\\.)?(?:${pattern.replace(/^\^/, '')})`, module)) return value
  return fallback
}
