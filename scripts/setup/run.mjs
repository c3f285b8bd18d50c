// Runs a program and keeps what it printed, in memory and in a log.
import { spawn } from 'node:child_process'
import { appendFileSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SetupError } from './errors.mjs'
import { noteChild } from './lock.mjs'

const children = new Set()

/**
 * @param options.log  file to append the command line and its output to
 * @returns {Promise<{code: number, output: string, missing: boolean}>} never rejects; `missing` = no such program
 */
export function run(command, args, { cwd, env, log } = {}) {
  return new Promise((done) => {
    let output = ''
    const child = spawn(command, args, { cwd, env: env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] })
    children.add(child)
    const forget = noteChild(child.pid)
    const finish = (code, missing) => {
      children.delete(child)
      forget()
      if (log) {
        mkdirSync(dirname(log), { recursive: true })
        appendFileSync(log, `$ ${command} ${args.join(' ')}\n${output}\n`)
      }
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

/** Runs `work`; Ctrl-C and SIGTERM end its programs too, then this process, with what it holds given back. */
export async function untilStopped(work) {
  let stop
  const stopped = new Promise((_, reject) => {
    stop = async (signal) => {
      for (const child of children) child.kill('SIGTERM')
      for (let waits = 0; children.size > 0 && waits < 30; waits++) await sleep(100)
      const code = signal === 'SIGINT' ? 130 : 143
      reject(new SetupError('set-up was stopped', 'the same command goes on where it stopped', code))
    }
  })
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop)
  try {
    return await Promise.race([work(), stopped])
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, stop)
  }
}
