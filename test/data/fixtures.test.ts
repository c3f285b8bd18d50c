/** Published preference files: their formats, and what their rows are known to hold. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readExamples } from '../../src/data/read/read-examples.js'

const HH = '../shared/data/hh-rlhf'
const DEMOS = '../shared/data/llama-factory-demos'

describe.skipIf(!existsSync(DEMOS))('LLaMA-Factory demo files (skipped without the shared data)', () => {
  test.each([
    ['dpo_en_demo.json.gz', 'sharegpt_pair', 2],
    ['kto_en_demo.json.gz', 'kto_messages', 1],
    ['alpaca_en_demo.json.gz', 'alpaca', 1],
    ['identity.json.gz', 'alpaca', 1],
    ['c4_demo.jsonl.gz', 'text', 1],
  ] as const)('%s is %s', async (file, format, minCandidates) => {
    const { report } = await readExamples(join(DEMOS, file), { minCandidates, unpaired: true })
    expect(report.formats).toEqual({ [format]: report.kept })
    expect(report.kept).toBeGreaterThan(90)
  })
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
