// `npm run results`: every table of the results pages is written anew from the stored cells, and every sentence that
// docs/results/claims.yaml names is held against them. Ends with 8 where a number differs; `--check` writes nothing.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withTables, wrongClaims } from '../dist/commands/experiment/results.js'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const PAGES = ['docs/results.md', 'docs/rescoring.md', 'docs/hh-rlhf.md', 'README.md']
const check = process.argv.includes('--check')

const problems = []
for (const page of PAGES) {
  const before = readFileSync(join(root, page), 'utf8')
  const after = await withTables(root, page, before)
  if (after === before) continue
  if (check) problems.push(`${page}: its tables are not those of the cells; npm run results writes them`)
  else {
    writeFileSync(join(root, page), after)
    console.log(`${page}: tables written`)
  }
}
problems.push(...(await wrongClaims(root, 'docs/results/claims.yaml')))
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 8
else console.log('every number is the cells’')
