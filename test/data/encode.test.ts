/** Encoding: the exact boundary, end tokens, every cut counted, nothing scored that belongs to the prompt. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { encodeExamples, encodePrompts } from '../../src/data/encode/encode.js'
import type { EncodedExample } from '../../src/data/encode/encoded.js'
import type { Example } from '../../src/data/example.js'
import { readExamples } from '../../src/data/read/read-examples.js'
import type { Prompt } from '../../src/dialogue.js'
import { createRandom } from '../../src/random.js'
import { type ChatTemplate, chatTemplate } from '../../src/text/template.js'
import { loadTokenizer, type TextTokenizer } from '../../src/text/tokenizer.js'
import { tempFolder, writeTinyTokenizer } from '../text/tiny-tokenizer.js'

const list = (prompt: Prompt, ...texts: string[]): Example => ({
  id: 'x',
  prompt,
  candidates: texts.map((text) => ({ text })),
  preferences: [],
  source: 's',
  file: 'f.jsonl',
  row: 3,
})

let bytes: TextTokenizer
let merging: TextTokenizer
let hh: ChatTemplate
beforeAll(async () => {
  bytes = await loadTokenizer(writeTinyTokenizer())
  // ":" + " " is one token, and so is "b" + "c".
  merging = await loadTokenizer(
    writeTinyTokenizer({
      merges: [
        [':', 'Ġ'],
        ['b', 'c'],
      ],
    }),
  )
  hh = await chatTemplate(bytes, 'hh')
})

const encodeOne = async (tokenizer: TextTokenizer, example: Example, options = {}) => {
  const result = await encodeExamples([example], tokenizer, hh, { maxLength: 64, ...options })
  return { ...result, one: result.encoded[0] as EncodedExample | undefined }
}
const text = (tokenizer: TextTokenizer, ids: ArrayLike<number>) =>
  tokenizer.decode(ids, { keepSpecial: true })

/** Prompt, unscored context and scored text of answer `i`. */
async function parts(tokenizer: TextTokenizer, one: EncodedExample | undefined, i: number) {
  const answer = one?.answers[i]
  if (!one || !answer) throw new Error('nothing encoded')
  return [
    await text(tokenizer, one.promptIds),
    await text(tokenizer, answer.ids.slice(0, answer.scoredFrom)),
    await text(tokenizer, answer.ids.slice(answer.scoredFrom)),
  ]
}

describe('the boundary', () => {
  test('a clean boundary: the whole prompt is shared, the answer and its end token are scored', async () => {
    const { one, report } = await encodeOne(bytes, list('ab:', ' x', ' yz'))
    expect(await parts(bytes, one, 0)).toEqual(['ab:', '', ' x<|endoftext|>'])
    expect(await parts(bytes, one, 1)).toEqual(['ab:', '', ' yz<|endoftext|>'])
    expect(report).toMatchObject({
      kept: 1,
      answers: 2,
      boundaryMerges: 0,
      equalAfterCut: 0,
      tokens: { prompt: 3, answers: 7 },
    })
  })

  test('answers that differ only behind the cut are counted, and a warning says so', async () => {
    const long = 'word '.repeat(20)
    const { report } = await encodeOne(bytes, list('ab:', `${long}good`, `${long}bad`))
    expect([report.answersCut, report.equalAfterCut]).toEqual([2, 1])
    expect(report.warnings).toEqual([
      expect.stringContaining('in 1 of 1 examples the compared answers differ only behind the cut'),
    ])
    const apart = await encodeOne(bytes, list('ab:', `good ${long}`, `bad ${long}`))
    expect([apart.report.answersCut, apart.report.equalAfterCut]).toEqual([2, 0])
  })

  test('a token across the boundary is scored and counted, and a warning says so', async () => {
    const { one, report } = await encodeOne(merging, list('ab:', ' x', ' yz'))
    expect(await parts(merging, one, 0)).toEqual(['ab', '', ': x<|endoftext|>'])
    expect(report.boundaryMerges).toBe(2)
    expect(report.warnings[0]).toContain('100.0 %')
  })

  test('where only some answers merge, the prompt tokens of the others become unscored context', async () => {
    const { one, report } = await encodeOne(merging, list('ab', 'x', 'cd'))
    expect(await parts(merging, one, 0)).toEqual(['a', 'b', 'x<|endoftext|>'])
    expect(await parts(merging, one, 1)).toEqual(['a', '', 'bcd<|endoftext|>'])
    expect(report.boundaryMerges).toBe(1)
  })

  test('prompt tokens that differ because of what follows are not shared', async () => {
    const merges = [
      ['c', 'd'],
      ['b', 'c'],
    ]
    const tokenizer = await loadTokenizer(writeTinyTokenizer({ merges: merges as [string, string][] }))
    const { one } = await encodeOne(tokenizer, list('abc', 'd', 'e'))
    expect(await parts(tokenizer, one, 0)).toEqual(['a', 'b', 'cd<|endoftext|>'])
    expect(await parts(tokenizer, one, 1)).toEqual(['a', 'bc', 'e<|endoftext|>'])
  })

  test('answers that begin alike share nothing beyond the prompt', async () => {
    const { one } = await encodeOne(bytes, list('p', 'same x', 'same y'))
    expect(await parts(bytes, one, 0)).toEqual(['p', '', 'same x<|endoftext|>'])
  })

  test('an emoji at the end of the prompt stays whole in it', async () => {
    const { one } = await encodeOne(bytes, list('a😀', '😀b', 'c'))
    expect(await parts(bytes, one, 0)).toEqual(['a😀', '', '😀b<|endoftext|>'])
  })

  test('one answer alone: the prompt is all that ends before it', async () => {
    const { one } = await encodeOne(merging, list('ab', 'cd'))
    expect(await parts(merging, one, 0)).toEqual(['a', '', 'bcd<|endoftext|>'])
  })

  test('an empty prompt gets a start token, so that the first token is predicted from something', async () => {
    expect(await parts(bytes, (await encodeOne(bytes, list('', 'ab'))).one, 0)).toEqual([
      '<|endoftext|>',
      '',
      'ab<|endoftext|>',
    ])
    const none = await loadTokenizer(writeTinyTokenizer({ config: { eos_token: null } }))
    await expect(encodeOne(none, list('', 'ab'), { endToken: false })).rejects.toThrow('f.jsonl:3')
  })

  test('dialogues go through the template', async () => {
    const { one } = await encodeOne(bytes, list([{ role: 'user', content: 'Hi' }], 'x', 'y'))
    expect(await parts(bytes, one, 1)).toEqual(['\n\nHuman: Hi\n\nAssistant:', '', ' y<|endoftext|>'])
  })
})

describe('BOS and end tokens', () => {
  test('BOS is put in front once, not again where the text begins with it, and survives a cut', async () => {
    const config = { bos_token: '<s>', add_bos_token: true }
    const tokenizer = await loadTokenizer(writeTinyTokenizer({ config }))
    expect((await parts(tokenizer, (await encodeOne(tokenizer, list('ab', 'c'))).one, 0))[0]).toBe('<s>ab')
    expect((await parts(tokenizer, (await encodeOne(tokenizer, list('<s>ab', 'c'))).one, 0))[0]).toBe('<s>ab')
    const { one, report } = await encodeOne(tokenizer, list('abcdefgh', 'xyz'), {
      maxLength: 8,
      maxPromptLength: 4,
    })
    expect((await parts(tokenizer, one, 0))[0]).toBe('<s>fgh')
    expect([one?.promptCut, report.promptsCut]).toEqual([5, 1])
  })

  test('the end of turn of the template comes before EOS', async () => {
    const template = await chatTemplate(bytes, 'chatml')
    const example = list([{ role: 'user', content: 'Hi' }], 'x')
    const { encoded } = await encodeExamples([example], bytes, template, { maxLength: 100 })
    expect((await parts(bytes, encoded[0], 0))[2]).toBe('x<|im_end|>')
  })

  test('no end token when asked for none, none twice, and an error where the tokenizer has none', async () => {
    const off = await encodeOne(bytes, list('a', 'b'), { endToken: false })
    expect([(await parts(bytes, off.one, 0))[2], off.one?.answers[0].ended]).toEqual(['b', false])
    const twice = await encodeOne(bytes, list('a', 'b<|endoftext|>'))
    expect((await parts(bytes, twice.one, 0))[2]).toBe('b<|endoftext|>')
    const none = await loadTokenizer(writeTinyTokenizer({ config: { eos_token: null } }))
    await expect(encodeOne(none, list('a', 'b'))).rejects.toThrow('no end-of-text token')
  })
})

describe('lengths', () => {
  const limits = { maxLength: 10, maxPromptLength: 6 }

  test('a prompt gives way only as far as the longest answer needs', async () => {
    const fits = await encodeOne(bytes, list('abcdefg', 'xy', 'x'), limits)
    expect((await parts(bytes, fits.one, 0))[0]).toBe('abcdefg')
    const cut = await encodeOne(bytes, list('abcdefgh', 'xy', 'x'), limits)
    expect((await parts(bytes, cut.one, 0))[0]).toBe('bcdefgh')
    expect(cut.report.answersCut).toBe(0)
  })

  test('an answer that is still too long loses its end and gets no end token; both are counted', async () => {
    const { one, report } = await encodeOne(bytes, list('abcdefgh', 'uvwxyz', 'u'), limits)
    expect(await parts(bytes, one, 0)).toEqual(['cdefgh', '', 'uvwx'])
    expect(await parts(bytes, one, 1)).toEqual(['cdefgh', '', 'u<|endoftext|>'])
    expect(one?.answers.map(({ truncated, ended }) => [truncated, ended])).toEqual([
      [true, false],
      [false, true],
    ])
    expect([report.promptsCut, report.answersCut]).toEqual([1, 1])
  })

  test('truncation: error names the row', async () => {
    const options = { ...limits, truncation: 'error' }
    await expect(encodeOne(bytes, list('abcdefgh', 'xy'), options)).rejects.toThrow(
      'f.jsonl:3: the prompt is 1 token too long',
    )
    await expect(encodeOne(bytes, list('a', 'x'.repeat(20)), options)).rejects.toThrow('1 answer too long')
  })

  test('a list without room, or with too few answers, is dropped, listed and loses its index', async () => {
    // Shared: "a". The first answer carries "b" as context, so that only one of its two tokens fits into three.
    const tight = list('ab', 'x', 'cd')
    const options = { maxLength: 3, maxPromptLength: 1, minAnswerTokens: 2 }
    const room = await encodeExamples([tight, list('p', 'q')], merging, hh, options)
    expect(room.kept).toEqual([1])
    expect(room.report).toMatchObject({ examples: 2, kept: 1, dropped: [{ file: 'f.jsonl', row: 3 }] })
    expect(room.report.dropped[0].reason).toContain('no room')
    const few = await encodeExamples([list('p', 'q'), list('p', 'q', 'r')], bytes, hh, {
      maxLength: 9,
      minCandidates: 2,
    })
    const reason = '1 answer, 2 needed'
    expect([few.kept, few.report.dropped]).toEqual([[1], [{ id: 'x', file: 'f.jsonl', row: 3, reason }]])
  })

  test('limits that cannot hold are refused', async () => {
    await expect(encodeOne(bytes, list('a', 'b'), { maxLength: 1 })).rejects.toThrow('max_length 1')
    await expect(encodeOne(bytes, list('a', 'b'), { maxLength: 8, maxPromptLength: 8 })).rejects.toThrow(
      'max_length 8',
    )
  })

  test('property: whatever the lengths, the room is kept and at least the asked answer tokens are there', async () => {
    const random = createRandom(5)
    const word = (n: number) => Array.from({ length: n }, () => random.pick([...'abc: x'])).join('')
    let dropped = 0
    for (let i = 0; i < 300; i++) {
      const options = { maxLength: 4 + random.int(20), minAnswerTokens: 1 + random.int(3) }
      const examples = Array.from({ length: 34 }, () =>
        list(word(random.int(40)), word(1 + random.int(30)), word(1)),
      )
      const { encoded, kept, report } = await encodeExamples(examples, merging, hh, {
        ...options,
        maxPromptLength: options.maxLength - options.minAnswerTokens,
      })
      dropped += report.dropped.length
      expect(kept.length + report.dropped.length).toBe(34)
      encoded.forEach(({ promptIds, answers }, k) => {
        expect(promptIds.length).toBeGreaterThan(0)
        for (const { ids, scoredFrom, truncated, ended } of answers) {
          expect(promptIds.length + ids.length).toBeLessThanOrEqual(options.maxLength)
          expect(ids.length - scoredFrom).toBeGreaterThanOrEqual(
            Math.min(options.minAnswerTokens, truncated ? 9 : 1),
          )
          expect(ended).toBe(!truncated)
          expect(ids.at(-1) === merging.eosId).toBe(ended)
        }
        expect(examples[kept[k]].candidates.length).toBe(answers.length)
      })
    }
    expect(dropped).toBeGreaterThan(0)
  })
})

test('encodePrompts renders, keeps the end of a long prompt and says what it cut', async () => {
  const { ids, cut } = await encodePrompts(['abcdef', [{ role: 'user', content: 'Hi' }], ''], bytes, hh, {
    maxPromptLength: 4,
  })
  expect(await Promise.all(ids.map((prompt) => text(bytes, prompt)))).toEqual([
    'cdef',
    'ant:',
    '<|endoftext|>',
  ])
  expect(cut).toEqual([2, 19, 0])
})

const SMOL = '../shared/data/tokenizers/smollm2-135m'
const HH = '../shared/data/hh-rlhf'
describe.skipIf(!existsSync(SMOL) || !existsSync(HH))('HH-RLHF (skipped without the shared data)', () => {
  test('8,500 pairs: prompt + answer decode to the text that was encoded', {
    timeout: 60_000,
  }, async () => {
    const dir = tempFolder('smol')
    for (const name of ['tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja']) {
      writeFileSync(join(dir, name), gunzipSync(readFileSync(join(SMOL, `${name}.gz`))))
    }
    const tokenizer = await loadTokenizer(dir)
    const { examples } = await readExamples(HH)
    expect(examples.length).toBeGreaterThan(8400)
    const options = { maxLength: 100_000 }
    const { encoded, report } = await encodeExamples(
      examples,
      tokenizer,
      await chatTemplate(tokenizer, 'hh'),
      options,
    )
    expect([report.promptsCut, report.answersCut, report.dropped.length]).toEqual([0, 0, 0])
    expect(report.boundaryMerges).toBe(0)
    for (let i = 0; i < encoded.length; i += 97) {
      const { prompt, candidates } = examples[i]
      const { promptIds, answers } = encoded[i]
      const template = await chatTemplate(tokenizer, 'hh')
      expect(await text(tokenizer, promptIds)).toBe(template.prompt(prompt))
      for (let k = 0; k < answers.length; k++) {
        const whole = await text(tokenizer, [...promptIds, ...answers[k].ids])
        expect(whole).toBe(`${template.prompt(prompt)} ${candidates[k].text}<|im_end|>`)
      }
    }
    const own = await encodeExamples(examples.slice(0, 500), tokenizer, await chatTemplate(tokenizer), {
      maxLength: 512,
    })
    expect(own.report.kept + own.report.dropped.length).toBe(500)
    expect(own.report.answersCut).toBeGreaterThan(0)
  })
})
