// Two files of answers from a file of preferences, for `clha compare`: of each prompt's first pair the rejected answer and the
// chosen one.
//
//   node scripts/both-answers.mjs prefs.jsonl folder
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readExamples } from '../dist/data/read/read-examples.js'
import { promptKey } from '../dist/dialogue.js'

const [file, folder] = process.argv.slice(2)
if (folder === undefined) {
  console.error('usage: node scripts/both-answers.mjs prefs.jsonl folder')
  process.exit(2)
}
const { examples } = await readExamples(file, { skipBad: true })
const seen = new Set()
const rows = examples.flatMap(({ prompt, candidates, preferences: [label], source }) => {
  const key = promptKey(prompt)
  if (!label || seen.has(key)) return []
  seen.add(key)
  const row = (k) => `${JSON.stringify({ prompt, answer: candidates[k].text, source })}\n`
  return [{ chosen: row(label.better), rejected: row(label.worse) }]
})
mkdirSync(folder, { recursive: true })
for (const name of ['rejected', 'chosen'])
  writeFileSync(join(folder, `${name}.jsonl`), rows.map((row) => row[name]).join(''))
console.log(`${rows.length} prompts in ${folder}`)
