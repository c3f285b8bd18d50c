// Which files of a dataset's repository are taken for training and for evaluation.
import { expect, test } from 'vitest'
import { type Split, selectData } from '../../src/hub/data-files.js'

const select = (names: string[], split: Split, path?: string, card = '') =>
  selectData('org/d', split, path)(names, async () => card)

const hinted = async (outcome: Promise<unknown>) =>
  outcome.then(
    () => 'nothing was thrown',
    (error: { message: string; hint?: string }) => `${error.message} | ${error.hint}`,
  )

test('files named after a split are that split; others are training data when none is named', async () => {
  const names = [
    'README.md',
    'train.jsonl',
    'test.jsonl',
    'validation.jsonl',
    'load.py',
    'dataset_infos.json',
  ]
  expect(await select(names, 'train')).toEqual(['train.jsonl'])
  expect(await select(names, 'test')).toEqual(['test.jsonl'])
  expect(await select(['data/train-00000-of-00001.parquet', 'data/dev-0.parquet'], 'test')).toEqual([
    'data/dev-0.parquet',
  ])
  expect(await select(['a/train.jsonl.gz', 'a/test.jsonl.gz', 'b/train.jsonl.gz'], 'train')).toEqual([
    'a/train.jsonl.gz',
    'b/train.jsonl.gz',
  ])
  expect(await select(['b.csv', 'a.csv'], 'train')).toEqual(['a.csv', 'b.csv'])
})

test('a word inside another word is no split', async () => {
  expect(await select(['constrained.jsonl', 'latest.jsonl'], 'train')).toEqual([
    'constrained.jsonl',
    'latest.jsonl',
  ])
})

test('no test data is an error, never the training data', async () => {
  expect(await hinted(select(['a.jsonl'], 'test'))).toMatch(
    /no file is named test \| .*org\/d:path.*a\.jsonl/,
  )
})

test('the configs of the card decide', async () => {
  const card = [
    '---',
    'configs:',
    '- config_name: default',
    '  data_files:',
    '  - {split: train, path: data/train-*}',
    '  - {split: test, path: data/test-*}',
    '---',
    '# text',
  ].join('\n')
  const names = [
    'README.md',
    'data/train-0.parquet',
    'data/train-1.parquet',
    'data/test-0.parquet',
    'raw/train.jsonl',
  ]
  expect(await select(names, 'train', undefined, card)).toEqual([
    'data/train-0.parquet',
    'data/train-1.parquet',
  ])
  expect(await select(names, 'test', undefined, card)).toEqual(['data/test-0.parquet'])
})

test('several splits or several sets are an error that lists them', async () => {
  const files = (splits: string[]) => splits.map((s) => `  - {split: ${s}, path: data/${s}-*}`).join('\n')
  const two = `---\nconfigs:\n- config_name: default\n  data_files:\n${files(['train_prefs', 'train_sft'])}\n---\n`
  const names = ['README.md', 'data/train_prefs-0.parquet', 'data/train_sft-0.parquet']
  expect(await hinted(select(names, 'train', undefined, two))).toMatch(
    /several splits for train: train_prefs, train_sft.*\| name the files: org\/d:data\/train_prefs-\*/,
  )
  const sets =
    '---\nconfigs:\n- {config_name: en, data_files: en/*.jsonl}\n- {config_name: ko, data_files: ko/*.jsonl}\n---\n'
  expect(await hinted(select(['README.md', 'en/a.jsonl', 'ko/a.jsonl'], 'train', undefined, sets))).toMatch(
    /holds 2 sets of data \| name the files of one, org\/d:path\nen: en\/\*\.jsonl\nko: ko\/\*\.jsonl/,
  )
})

test('a path wins over everything, and says when nothing is there', async () => {
  const names = ['README.md', 'a/train.jsonl', 'a/test.jsonl', 'b/model.pkl']
  expect(await select(names, 'train', 'a/test.jsonl')).toEqual(['a/test.jsonl'])
  expect(await select(names, 'train', 'a')).toEqual(['a/test.jsonl', 'a/train.jsonl'])
  expect(await hinted(select(names, 'train', 'c/*'))).toMatch(/has no such file \| it holds a\/test/)
  expect(await hinted(select(names, 'train', 'b/model.pkl'))).toMatch(/no data file that is read here/)
})
