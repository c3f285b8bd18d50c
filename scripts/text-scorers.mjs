// Two reward servers without a model, to hold reward models against: /length/rewards gives an answer's characters,
// /words/rewards a bag of words fitted to a file of preferences.
//
//   node scripts/text-scorers.mjs prefs.jsonl [port]
import { createServer } from 'node:http'
import { readExamples } from '../dist/data/read/read-examples.js'
import { differencesOf, fitted, worth } from './bag-of-words.mjs'

const [file, port = '8100'] = process.argv.slice(2)
if (file === undefined) {
  console.error('usage: node scripts/text-scorers.mjs prefs.jsonl [port]')
  process.exit(2)
}
const { examples } = await readExamples(file, { skipBad: true })
const pairs = examples.flatMap(({ candidates, preferences }) =>
  preferences.map(({ better, worse }) => [candidates[better].text, candidates[worse].text]),
)
const { place, rows } = differencesOf(pairs)
const weight = fitted(rows)
const SCORERS = {
  '/length/rewards': (text) => [...text].length,
  '/words/rewards': (text) => worth(text, place, weight),
}

const server = createServer(async (request, response) => {
  const scorer = SCORERS[request.url]
  if (!scorer) return response.writeHead(404).end()
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  try {
    const { answers } = JSON.parse(Buffer.concat(chunks).toString())
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ rewards: answers.map(scorer) }))
  } catch (error) {
    response.writeHead(400).end(String(error))
  }
})
server.listen(Number(port), '127.0.0.1', () => {
  for (const path of Object.keys(SCORERS)) console.log(`http://127.0.0.1:${port}${path}`)
})
