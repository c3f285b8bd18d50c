/** A vote with parallel raters over HTTP while its server is killed again and again. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { readComparison } from '../../src/verdicts/comparison-file.js'
import type { VerdictRow } from '../../src/verdicts/types.js'
import { temporaryFolder } from '../helpers/folders.js'
import { compileSources } from '../helpers/sources.js'

const PROGRAM = `
import { vote, voteCall } from './dist/commands/vote/vote.js'
import { createUi } from './dist/terminal/ui.js'
const [port, output, ...more] = process.argv.slice(2)
const inputs = more.filter((name) => name.endsWith('.jsonl'))
const rater = more.filter((name) => !name.endsWith('.jsonl'))
await vote(await voteCall(inputs, { output, port: Number(port), rater, repeats: 0 }), createUi())
`

export interface Outcome {
  rows: readonly VerdictRow[]
  /** Tasks that the server confirmed, by rater. */
  confirmed: Map<string, Set<string>>
  kills: number
}

/**
 * @param killEvery votes between two kills
 * @returns what the file holds when every rater has voted on every item
 */
export async function votingUnderKills(
  raters: readonly string[],
  items: number,
  killEvery: number,
): Promise<Outcome> {
  const folder = temporaryFolder()
  compileSources(folder, 'commands/vote/vote.ts')
  fs.writeFileSync(join(folder, 'program.mjs'), PROGRAM)
  const files = ['one', 'two'].map((name) => {
    const rows = Array.from({ length: items }, (_, i) => ({
      prompt: `Question ${i}?`,
      answer: `${name} ${i}`,
    }))
    fs.writeFileSync(join(folder, `${name}.jsonl`), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    return join(folder, `${name}.jsonl`)
  })
  const votes = join(folder, 'votes.jsonl')
  const port = await freePort()
  const args = [join(folder, 'program.mjs'), String(port), votes, ...files, ...raters]
  let server: { child: ChildProcess; links: Map<string, string> } | undefined
  const start = async () => {
    server = await started(args, raters.length)
  }
  onTestFinished(() => void server?.child.kill('SIGKILL'))
  await start()
  let [kills, sinceKill, restarting] = [0, 0, Promise.resolve()]
  const confirmed = new Map(raters.map((name) => [name, new Set<string>()]))
  const voted = () => {
    if (++sinceKill < killEvery) return
    sinceKill = 0
    kills++
    // At whatever the server is doing for the other raters just then.
    server?.child.kill('SIGKILL')
    restarting = start()
  }
  const token = (name: string) => server?.links.get(name) ?? ''
  await Promise.all(
    raters.map(async (name) => {
      for (;;) {
        const view = await insist(port, token(name), 'tasks')
        if (view.tasks.length === 0) return
        for (const { id } of view.tasks) {
          await insist(port, token(name), 'vote', { task: id, ...ballotFor(id) })
          confirmed.get(name)?.add(id)
          voted()
        }
      }
    }),
  )
  await restarting
  return { rows: readComparison(votes).rows, confirmed, kills }
}

/** The same for the same task, as a page sends it again. */
const ballotFor = (id: string) => ({
  ranks: createHash('md5').update(id).digest()[0] % 2 === 0 ? [1, 2] : [2, 1],
})

/** Asks until the server answers. */
async function insist(
  port: number,
  token: string,
  path: string,
  body?: object,
): Promise<{ tasks: { id: string }[] }> {
  for (;;) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/api/${path}`, {
        method: body ? 'POST' : 'GET',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: body && JSON.stringify(body),
      })
      if (response.ok) return (await response.json()) as { tasks: { id: string }[] }
      throw new Error(`${response.status} ${await response.text()}`)
    } catch (error) {
      // Refused and broken connections are those of a server that was killed; an answer with an error is one.
      if (/^\d/.test((error as Error).message)) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

/** Settles when the server has said its links. */
function started(
  args: string[],
  raters: number,
): Promise<{ child: ChildProcess; links: Map<string, string> }> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout.on('data', (data) => {
      text += data
      const links = new Map(
        [...text.matchAll(/^(\S+) {2}http\S+#(\S+)/gm)].map(([, name, token]) => [name, token]),
      )
      if (links.size === raters) resolve({ child, links })
    })
    child.stderr.on('data', (data) => {
      text += data
    })
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${text}`)))
  })
}

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
