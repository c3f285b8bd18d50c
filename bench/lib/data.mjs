// The data of the benchmark as one file for all contenders: texts and token ids of pairs, and of lists of four answers.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { product, root } from './product.mjs'

const MAX_LENGTH = 512
const MAX_PROMPT = 448
/** Pairs tokenised: more than the rounds of any suite take. */
const PAIRS = 1500
const LISTS = 120
const HH_PARTS = ['harmless-base', 'helpful-base', 'helpful-online', 'helpful-rejection-sampled']

const unpacked = (path) => gunzipSync(readFileSync(path))

/**
 * @param folder  where the file is written
 * @param data    a folder with hh-rlhf and tokenizers, else the starter world
 * @returns {Promise<{file: string, source: string, tokenizer: string}>}
 */
export async function prepareData(folder, data = resolve(root, '../shared/data')) {
  mkdirSync(folder, { recursive: true })
  const hasHh = existsSync(join(data, 'hh-rlhf')) && existsSync(join(data, 'tokenizers/smollm2-135m'))
  const { random } = await seeded()
  const made = hasHh ? await fromHh(folder, data, random) : await fromWorld(folder)
  const { loadTokenizer } = await product('text/tokenizer')
  const tokenizer = await loadTokenizer(made.tokenizer)
  const eos = tokenizer.eosId ?? tokenizer.eosIds?.[0] ?? 2
  const pairs = await encode(tokenizer, made.pairs.slice(0, PAIRS), eos)
  const lists = await encode(tokenizer, made.lists.slice(0, LISTS), eos, 1024)
  const file = join(folder, 'data.json')
  const vocabulary = hasHh ? 49152 : tokenizer.vocabSize
  writeFileSync(
    file,
    JSON.stringify({ source: made.source, tokenizer: made.tokenizer, vocabulary, eos, pairs, lists }),
  )
  return { file, source: made.source, tokenizer: made.tokenizer, files: made.files }
}

async function seeded() {
  const { createRandom } = await product('random')
  return { random: createRandom('benchmark') }
}

async function fromHh(folder, data, random) {
  const tokenizer = join(folder, 'tokenizer')
  mkdirSync(tokenizer, { recursive: true })
  const packed = join(data, 'tokenizers/smollm2-135m')
  for (const name of readdirSync(packed))
    writeFileSync(join(tokenizer, basename(name, '.gz')), unpacked(join(packed, name)))
  const files = HH_PARTS.map((part) => join(data, 'hh-rlhf', part, 'test.jsonl.gz'))
  const pairs = files.flatMap((file) => unpacked(file).toString().split('\n').filter(Boolean).flatMap(hhPair))
  const fine = join(data, 'fine-grained-rlhf/dev_feedback.json.gz')
  const lists = existsSync(fine) ? JSON.parse(unpacked(fine).toString()).map(fineList) : []
  return {
    source: 'HH-RLHF, four test sets, SmolLM2 tokenizer',
    tokenizer,
    files,
    pairs: random.shuffle(pairs),
    lists: random.shuffle(lists),
  }
}

/** The prompt ends with the last turn of the assistant that both dialogues begin with. */
function hhPair(line) {
  const { chosen, rejected } = JSON.parse(line)
  let same = 0
  while (same < chosen.length && chosen[same] === rejected[same]) same++
  const turn = '\n\nAssistant:'
  const at = chosen.slice(0, same).lastIndexOf(turn)
  if (at < 0) return []
  const end = at + turn.length
  return [[chosen.slice(0, end), chosen.slice(end), rejected.slice(end)]]
}

const fineList = (row) => [
  `${row.passages.map((lines) => lines.join(' ')).join('\n')}\n\nQuestion: ${row.question}\nAnswer:`,
  ...[1, 2, 3, 4].map((i) => row[`prediction ${i}`]),
]

/** Where no real data is at hand: the starter world, with a tokenizer trained on it. */
async function fromWorld(folder) {
  const { makeStarterWorld } = await product('stations/starter/starter-world')
  const { createWorld } = await product('world/index')
  const { tokenizerDir, world } = await makeStarterWorld(1, folder)
  const text = ({ prompt, candidates }) => [
    `${prompt.map((m) => `\n\n${m.role === 'user' ? 'Human' : 'Assistant'}: ${m.content}`).join('')}\n\nAssistant:`,
    ...candidates.map((c) => ` ${c.text}`),
  ]
  const lists = createWorld({ seed: 2, trainPairs: LISTS, candidatesPerPrompt: 4 }).train.map(text)
  return {
    source: 'starter world, tokenizer trained on it: sequences are short, ratios say less',
    tokenizer: tokenizerDir,
    files: [join(folder, 'data/train.jsonl')],
    pairs: world.train.map(text),
    lists,
  }
}

/** Prompt and answers tokenised apart, an end token behind each answer, cut at the right. */
async function encode(tokenizer, rows, eos, maxLength = MAX_LENGTH) {
  const out = []
  for (const texts of rows) {
    if (texts.some((text) => !text?.trim())) continue
    const encoded = await tokenizer.encodeBatch(texts)
    const ids = encoded.map((e) => Array.from(e.ids))
    const [prompt, ...answers] = ids
    if (prompt.length === 0 || prompt.length > maxLength - (MAX_LENGTH - MAX_PROMPT)) continue
    const cut = answers.map((answer) => [...answer, eos].slice(0, maxLength - prompt.length))
    if (cut.every((answer) => answer.length > 1)) out.push({ texts, ids: [prompt, ...cut] })
  }
  return out
}
