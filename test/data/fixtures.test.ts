/** The recorded preference files: every container and format gives the one expected result. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Message } from '../../src/data/example.js'
import { readExamples } from '../../src/data/read-examples.js'

const FOLDER = '../shared/fixtures/formats'
const HH = '../shared/data/hh-rlhf'
const present = existsSync(FOLDER)
const json = (name: string) => JSON.parse(readFileSync(join(FOLDER, name), 'utf8'))

interface Pair {
  prompt: Message[]
  chosen: string
  rejected: string
  text: { prompt: string; chosen: string; rejected: string }
}
interface List {
  prompt: Message[]
  completions: string[]
  rewards: number[]
}

describe.skipIf(!present)('recorded formats (skipped without the shared fixtures)', () => {
  const expected: Pair[] = present ? json('canonical_pairs.json') : []
  const lists: List[] = present ? json('canonical_listwise.json') : []

  test.each([
    'hh_raw.jsonl',
    'hh_raw_escaped.jsonl',
    'hh_raw_bom_crlf.jsonl',
    'hh_raw_no_final_newline.jsonl',
    'hh_raw.jsonl.gz',
    'trl_explicit_conversational.jsonl',
    'trl_implicit_conversational.jsonl',
    'ultrafeedback_binarized.jsonl',
  ])('%s', async (name) => {
    const { examples } = await readExamples(join(FOLDER, name))
    const found = examples.map(({ prompt, candidates }) => [prompt, candidates[0].text, candidates[1].text])
    expect(found).toEqual(expected.map(({ prompt, chosen, rejected }) => [prompt, chosen, rejected]))
    expect(examples.every(({ preferences }) => preferences[0].better === 0)).toBe(true)
  })

  test.each(['trl_explicit_string.jsonl', 'trl_explicit_string.json', 'trl_margin.jsonl'])(
    '%s',
    async (name) => {
      const { examples } = await readExamples(join(FOLDER, name))
      const found = examples.map(({ prompt, candidates }) => [prompt, candidates[0].text, candidates[1].text])
      expect(found).toEqual(expected.map(({ text }) => [text.prompt, text.chosen, text.rejected]))
    },
  )

  test('listwise_rewards.jsonl: sorted by falling reward', async () => {
    const { examples } = await readExamples(join(FOLDER, 'listwise_rewards.jsonl'))
    const found = examples.map(({ prompt, candidates }) => {
      const sorted = [...candidates].sort((a, b) => (b.reward ?? 0) - (a.reward ?? 0))
      return {
        prompt,
        completions: sorted.map(({ text }) => text),
        rewards: sorted.map(({ reward }) => reward),
      }
    })
    expect(found).toEqual(lists.map(({ prompt, completions, rewards }) => ({ prompt, completions, rewards })))
  })

  test('listwise_ranks.jsonl: wins per answer give the order', async () => {
    const { examples } = await readExamples(join(FOLDER, 'listwise_ranks.jsonl'))
    const found = examples.map(({ candidates, preferences }) => {
      const wins = candidates.map((_, i) => preferences.filter(({ better }) => better === i).length)
      return candidates.map(({ text }, i) => ({ text, wins: wins[i] })).sort((a, b) => b.wins - a.wins)
    })
    expect(found.map((list) => list.map(({ text }) => text))).toEqual(
      lists.map(({ completions }) => completions),
    )
  })

  test.each(['kto_string.jsonl', 'kto_conversational.jsonl'])(
    '%s: unpaired rows are refused',
    async (name) => {
      await expect(readExamples(join(FOLDER, name), { minCandidates: 1 })).rejects.toThrow('unpaired')
    },
  )
})

describe.skipIf(!existsSync(HH))('HH-RLHF test files (skipped without the shared data)', () => {
  test('harmless-base: 2,312 rows, 2,310 prompts, 4 pairs with an empty reply; legacy loses paragraphs', async () => {
    const file = join(HH, 'harmless-base/test.jsonl.gz')
    const { examples, report } = await readExamples(file)
    expect(report.rows).toBe(2312)
    expect(report.faults.filter(({ code }) => code === 'empty_answer').length).toBe(4)
    expect(new Set(report.faults.map(({ code }) => code))).not.toContain('different_prompts')
    expect(report.sources).toEqual({ 'harmless-base': report.kept })
    const legacy = await readExamples(file, { splitter: 'legacy' })
    const short = new Map(legacy.examples.map((example) => [example.id, example]))
    const cut = (i: number) =>
      examples.filter(({ id, candidates }) => {
        const other = short.get(id)
        return other !== undefined && other.candidates[i].text !== candidates[i].text
      }).length
    expect([cut(0), cut(1)]).toEqual([48, 79])
  })
})
