/** The vocabulary of a GGUF file as tokenizer.json, tokenizer_config.json and generation_config.json. */
import { jsonFile, type SaveFile } from '../../../checkpoint/format/save-file.js'
import { usageError } from '../../../errors.js'
import { mergesOfScores } from './merges-of-scores.js'
import { CUTTINGS, type Cutting, preTokenizer } from './pre-tokenizers.js'
import { type GgufVocabulary, KIND } from './vocabulary.js'

type Json = Record<string, unknown>

/** @throws ClhaError (exit 2) for a `tokenizer.ggml.pre` that is not known */
export function tokenizerFilesOfGguf(vocabulary: GgufVocabulary, where: string): SaveFile[] {
  const cutting = vocabulary.model === 'gpt2' ? cuttingOf(vocabulary, where) : undefined
  // SentencePiece's own defaults, which older files leave out.
  const addBos = vocabulary.addBos ?? (cutting ? cutting.addsBos === true : true)
  const made = cutting ? byteLevelParts(vocabulary, cutting, where) : sentencePieceParts(vocabulary)
  const tokenizer = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(vocabulary),
    normalizer: made.normalizer,
    pre_tokenizer: made.pre_tokenizer,
    post_processor: postProcessor(vocabulary, addBos),
    decoder: made.decoder,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token:
        made.byteFallback && vocabulary.unknown !== undefined ? vocabulary.tokens[vocabulary.unknown] : null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: made.byteFallback,
      byte_fallback: made.byteFallback,
      ignore_merges: cutting?.ignoreMerges ?? false,
      vocab: vocabOf(vocabulary),
      merges: made.merges,
    },
  }
  const { eos, ends } = vocabulary
  const stops = [...new Set([...(eos === undefined ? [] : [eos]), ...ends])]
  return [
    jsonFile('tokenizer.json', tokenizer),
    jsonFile('tokenizer_config.json', configOf(vocabulary, addBos)),
    ...(stops.length > 0 ? [jsonFile('generation_config.json', { eos_token_id: stops })] : []),
  ]
}

function cuttingOf({ pre }: GgufVocabulary, where: string): Cutting {
  if (pre !== undefined && Object.hasOwn(CUTTINGS, pre)) return CUTTINGS[pre]
  const found = pre === undefined ? 'is not there' : `"${pre}" is not known`
  throw usageError(
    `${where}: "tokenizer.ggml.pre" ${found}; it says how texts are cut before the merges`,
    `known are ${Object.keys(CUTTINGS).join(', ')}`,
  )
}

interface Parts {
  normalizer: Json | null
  pre_tokenizer: Json | null
  decoder: Json
  merges: readonly (readonly string[])[]
  byteFallback: boolean
}

function byteLevelParts({ merges, addSpacePrefix }: GgufVocabulary, cutting: Cutting, where: string): Parts {
  const pairs = merges.map((merge, i) => {
    // A part may begin with a space where a text is no byte-level one.
    const at = merge.indexOf(' ', 1)
    if (at < 0) throw usageError(`${where}: "tokenizer.ggml.merges": number ${i} is no pair`)
    return [merge.slice(0, at), merge.slice(at + 1)]
  })
  return {
    normalizer: cutting.nfc ? { type: 'NFC' } : null,
    pre_tokenizer: preTokenizer(cutting, addSpacePrefix ?? false),
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
    merges: pairs,
    byteFallback: false,
  }
}

const SPACE = '▁'

function sentencePieceParts({ tokens, kinds, scores, addSpacePrefix = true }: GgufVocabulary): Parts {
  const replace = { type: 'Replace', pattern: { String: ' ' }, content: SPACE }
  const decoders = [
    { type: 'Replace', pattern: { String: SPACE }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
    ...(addSpacePrefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
  ]
  return {
    normalizer: addSpacePrefix
      ? { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: SPACE }, replace] }
      : replace,
    pre_tokenizer: null,
    decoder: { type: 'Sequence', decoders },
    merges: mergesOfScores(tokens, scores, (id) => kinds[id] === KIND.normal),
    byteFallback: true,
  }
}

/** Added tokens stand in the vocabulary too, as in the files of most models. Unused ids have no text of their own. */
const vocabOf = ({ tokens, kinds }: GgufVocabulary): Record<string, number> =>
  Object.fromEntries(tokens.flatMap((token, id) => (kinds[id] === KIND.unused ? [] : [[token, id]])))

function addedTokens({ tokens, kinds }: GgufVocabulary): Json[] {
  return tokens.flatMap((content, id) => {
    const special = kinds[id] === KIND.control || kinds[id] === KIND.unknown
    if (!special && kinds[id] !== KIND.userDefined) return []
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }]
  })
}

/** BOS before a text and EOS behind it, where the file asks for them. */
function postProcessor({ tokens, bos, eos, addEos = false }: GgufVocabulary, addBos: boolean): Json | null {
  const first = addBos && bos !== undefined ? [bos] : []
  const last = addEos && eos !== undefined ? [eos] : []
  if (first.length + last.length === 0) return null
  const special = (type_id: number) => (id: number) => ({ SpecialToken: { id: tokens[id], type_id } })
  const around = (name: 'A' | 'B', type_id: number) => [
    ...first.map(special(type_id)),
    { Sequence: { id: name, type_id } },
    ...last.map(special(type_id)),
  ]
  const named = [...new Set([...first, ...last])].map((id) => [
    tokens[id],
    { id: tokens[id], ids: [id], tokens: [tokens[id]] },
  ])
  return {
    type: 'TemplateProcessing',
    single: around('A', 0),
    pair: [...around('A', 0), ...around('B', 1)],
    special_tokens: Object.fromEntries(named),
  }
}

function configOf(vocabulary: GgufVocabulary, addBos: boolean): Json {
  const { tokens, bos, eos, unknown, padding, addEos = false, chatTemplate, namedTemplates } = vocabulary
  const text = (id: number | undefined) => (id === undefined ? undefined : tokens[id])
  const others = Object.entries(namedTemplates).map(([name, template]) => ({ name, template }))
  const template =
    others.length > 0 && chatTemplate !== undefined
      ? [{ name: 'default', template: chatTemplate }, ...others]
      : chatTemplate
  return {
    add_bos_token: addBos && bos !== undefined,
    add_eos_token: addEos,
    bos_token: text(bos),
    eos_token: text(eos),
    unk_token: text(unknown),
    pad_token: text(padding),
    clean_up_tokenization_spaces: false,
    tokenizer_class: 'PreTrainedTokenizerFast',
    ...(template === undefined ? {} : { chat_template: template }),
  }
}
