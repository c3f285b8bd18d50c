import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { judgeCall } from '../../src/commands/judge/judge.js'
import { parseConfig } from '../../src/config/load-config.js'
import { temporaryFolder, thrown } from '../helpers/folders.js'

const complaint = (yaml: string) => thrown(() => parseConfig('judge.yaml', yaml)).message
const HERE = 'judge_endpoint: http://127.0.0.1:8000/v1\njudge_model: m\n'

test('a key of the judge that can not act is refused', () => {
  expect(complaint('judge_model: m')).toContain('judge_model has no effect: judge_endpoint names no server')
  expect(complaint(`${HERE}judge_mode: single\njudge_orders: one`)).toContain('shows one answer at a time')
  expect(complaint(`${HERE}judge_max_cost: 1\njudge_prompt_price: 1`)).toContain(
    'what a token costs is not known',
  )
  expect(complaint(`${HERE}judge_template: mt-bench\njudge_response_format: json_object`)).toContain(
    'the verdicts of mt-bench are no JSON',
  )
})

test('a config may stand before the files of answers; flags win over it', async () => {
  const config = join(temporaryFolder(), 'judge.yaml')
  fs.writeFileSync(config, `${HERE}judge_max_tokens: 7\njudge_concurrency: 2\n`)
  const call = await judgeCall([config, 'a.jsonl', 'b.jsonl'], {
    judgeConcurrency: '3',
    output: 'v.jsonl',
    estimate: true,
  })
  expect(call).toMatchObject({
    inputs: ['a.jsonl', 'b.jsonl'],
    output: 'v.jsonl',
    estimate: true,
    options: { judgeModel: 'm', judgeMaxTokens: 7, judgeConcurrency: 3 },
  })
})
