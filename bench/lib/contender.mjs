// One contender in a process of its own. It gets itself ready, then runs a round for each line `go ROUND` and answers
// with a line `RES {json}`; other lines are its own affair and are kept for the case that it fails.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { busySeconds } from './machine.mjs'

const KEPT_LINES = 30
/** Of what an error said. */
const LONGEST = 120

/** An interrupted benchmark leaves nobody behind. */
const children = new Set()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.once(signal, () => {
    for (const child of children) child.kill('SIGKILL')
    process.exit(1)
  })

/** What it said of an error stands in the first line: tables show no other. */
function ending(what, tail) {
  const said = tail.findLast((line) => /^\S*Error\b.*:|out of memory|what\(\):/.test(line))?.trim()
  return [said ? `${what}: ${said.slice(0, LONGEST)}` : what, ...tail.slice(-8)].join('\n')
}

/** @param command [program, ...arguments] @returns {Promise<object>} ready to run rounds; throws with its last lines */
export async function startContender(name, command, env = {}) {
  const child = spawn(command[0], command.slice(1), {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  children.add(child)
  const tail = []
  const note = (line) => {
    tail.push(line)
    if (tail.length > KEPT_LINES) tail.shift()
  }
  createInterface({ input: child.stderr }).on('line', note)
  const waiting = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [tag, rest] = [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]
    if (tag === 'RES' || tag === 'READY') waiting.shift()?.resolve(JSON.parse(rest))
    else note(line)
  })
  child.on('error', (error) => note(error.message))
  child.on('close', (code, signal) => {
    children.delete(child)
    for (const { reject } of waiting.splice(0))
      reject(new Error(ending(`${name} ended (${signal ?? code})`, tail)))
  })
  child.stdin.on('error', () => {})
  const answer = () =>
    new Promise((resolve, reject) => {
      if (child.exitCode !== null || child.signalCode !== null)
        reject(new Error(ending(`${name} has ended`, tail)))
      else waiting.push({ resolve, reject })
    })
  const ready = await answer()
  return {
    name,
    ready,
    /** @returns what the contender measured, and the cores that others used meanwhile */
    async round(index) {
      const before = busySeconds()
      const result = answer()
      child.stdin.write(`go ${index}\n`)
      const measured = await result
      const foreign =
        before === undefined ? undefined : (busySeconds() - before - measured.cpu) / measured.wall
      return { ...measured, foreign: foreign === undefined ? undefined : Math.max(0, foreign) }
    },
    stop() {
      child.stdin.end('quit\n')
      return new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve()
        const late = setTimeout(() => child.kill('SIGKILL'), 5000)
        child.on('close', () => {
          clearTimeout(late)
          resolve()
        })
      })
    },
  }
}
