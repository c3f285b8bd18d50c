// Runs a program and keeps what it printed, in memory and in a log.
import { spawn } from 'node:child_process'
import { appendFileSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { noteChild } from './lock.mjs'
import { endWithSetup, throwIfStopped } from './stop.mjs'

/**
 * @param options.log  file to append the command line and its output to
 * @returns {Promise<{code: number, output: string, missing: boolean}>} `missing` = no such program. Rejects only when set-up was stopped
 */
export async function run(command, args, { cwd, env, log } = {}) {
  throwIfStopped()
  return new Promise((done) => {
    let output = ''
    const child = spawn(command, args, { cwd, env: env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] })
    const forget = [endWithSetup(child), noteChild(child.pid)]
    const finish = (code, missing) => {
      for (const each of forget) each()
      if (log) note(log, `$ ${command} ${args.join(' ')}\n${output}\n`)
      done({ code, output, missing })
    }
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.stderr.on('data', (chunk) => {
      output += chunk
    })
    child.on('error', (error) => {
      output += error.message
      finish(127, error.code === 'ENOENT')
    })
    child.on('close', (code, signal) => {
      if (signal) output += `\nended by ${signal}`
      finish(code ?? 1, false)
    })
  })
}

/** What does not fit on a full disk is in the error message too. */
function note(log, text) {
  try {
    mkdirSync(dirname(log), { recursive: true })
    appendFileSync(log, text)
  } catch {}
}

/** Runs the jobs, at most `width` at a time; stops starting new ones after the first failure. */
export async function inParallel(jobs, width) {
  const waiting = [...jobs]
  let failure
  const lane = async () => {
    while (waiting.length && !failure) {
      try {
        await waiting.shift()()
      } catch (error) {
        failure ??= error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, width) }, lane))
  if (failure) throw failure
}
