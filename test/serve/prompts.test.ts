import { expect, test } from 'vitest'
import { encodeAll, LONG, requireLength } from '../../src/serve/encode-prompts.js'
import { chatTemplate } from '../../src/text/template.js'
import type { TextTokenizer } from '../../src/text/tokenizer.js'

/** One token for each `perToken` characters; `seen` are the lengths that were asked for. */
async function reader(perToken: number, contextLength: number, onEncode = () => {}) {
  const seen: number[] = []
  const encode = async (text: string) => {
    onEncode()
    seen.push(text.length)
    return { ids: Int32Array.from({ length: Math.ceil(text.length / perToken) }, () => 1), offsets: [] }
  }
  const tokenizer = {
    encode,
    encodeBatch: (texts: string[]) => Promise.all(texts.map(encode)),
    addsBos: false,
  }
  const template = await chatTemplate(tokenizer as unknown as TextTokenizer, 'plain')
  return { seen, tokenizer: tokenizer as unknown as TextTokenizer, template, contextLength }
}

const staying = new AbortController().signal

test('a long text is read no further than it may be long', async () => {
  // 65,536 characters a piece, 64 a token: 1,024 tokens, of which 256 may be the seam's.
  const one = await reader(64, 2000)
  await expect(requireLength('x'.repeat(100 * LONG), one, staying)).rejects.toThrow(
    'the first 196608 of 6553600 characters do not fit into the context of 2000',
  )
  expect(one.seen).toEqual([LONG, LONG, LONG])
  const fits = await reader(64, 2000)
  await requireLength('x'.repeat(1.5 * LONG), fits, staying)
  expect(fits.seen).toEqual([LONG, LONG / 2])
})

test('a client that leaves ends the reading of a text, and of the prompts behind it', async () => {
  const client = new AbortController()
  const leaving = await reader(1000, 1e6, () => client.abort())
  await expect(requireLength('x'.repeat(5 * LONG), leaving, client.signal)).rejects.toThrow('given up')
  expect(leaving.seen).toEqual([LONG])
  const other = new AbortController()
  const prompts = await reader(10, 100, () => other.abort())
  const all = encodeAll(['one', 'two', 'three'], prompts, { signal: other.signal, fits: () => {} })
  await expect(all).rejects.toThrow('given up')
  expect(prompts.seen).toEqual([3])
})

test('the first prompt that does not fit ends the reading', async () => {
  const { seen, ...rest } = await reader(1, 100)
  const fits = (tokens: number) => {
    if (tokens > 5) throw new Error(`${tokens} are too many`)
  }
  const all = encodeAll(['four', 'eleven chars', 'x'], rest, { signal: staying, fits })
  await expect(all).rejects.toThrow('12 are too many')
  expect(seen).toEqual([4, 12])
})
