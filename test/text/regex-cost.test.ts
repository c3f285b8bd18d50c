/** Regular expressions of tokenizers: those in use are taken, those that may run for ever are refused. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isExponential } from '../../src/text/regex-cost.js'
import { loadTokenizer } from '../../src/text/tokenizer.js'
import { writeTinyTokenizer } from './tiny-tokenizer.js'

test.each([
  String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
  String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}]*[\p{Ll}\p{M}]+(?i:'s|'t|'re)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s+`,
  String.raw`\d{1,3}(?=(?:\d{3})*\b)`,
  String.raw` ?[^(\s|[.,!?…。，、।۔،])]+`,
  '(?:[a-z]++)+',
  '(?>a+)+',
  '(?:ab|cd)+',
  '[(a+)+]',
  String.raw`\(a+\)+`,
])('%s is taken', (source) => {
  expect(isExponential(source)).toBe(false)
})

test.each([
  '([a-z0-9_.]+)+!',
  '(a*)*',
  '(?:x+y?)+z',
  '(?:(?:a+))+',
  '((a+)?b?)*',
  '(a|a)*b',
  '(a|ab)+c',
  '(.|a)*b',
  '(?i:a+)+',
  '(a{2,}){3,}',
])('%s is refused', (source) => {
  expect(isExponential(source)).toBe(true)
})

test('a tokenizer with one names its file and the expression', async () => {
  const dir = writeTinyTokenizer()
  const file = join(dir, 'tokenizer.json')
  const tokenizer = JSON.parse(readFileSync(file, 'utf8'))
  const split = { type: 'Split', pattern: { Regex: '([a-z0-9_.]+)+!' }, behavior: 'Isolated', invert: false }
  tokenizer.pre_tokenizer = { type: 'Sequence', pretokenizers: [split, tokenizer.pre_tokenizer] }
  writeFileSync(file, JSON.stringify(tokenizer))
  await expect(loadTokenizer(dir)).rejects.toThrow(
    /tokenizer\.json: the regular expression ".*may take for ever/,
  )
})
