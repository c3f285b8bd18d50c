// One line per set-up step, with a sign of life while it runs. Written to standard error.

const WIDTH = 76
const QUIET_SECONDS = 10 // between two lines of a step that writes to a file
const useColour = process.stderr.isTTY && !process.env.NO_COLOR
const paint = (code, text) => (useColour ? `\x1b[${code}m${text}\x1b[0m` : text)

/** 9.2 -> `9 s`, 0.4 -> `0.4 s`, 75 -> `1 min 15 s`. */
export function seconds(value) {
  if (value < 1) return `${value.toFixed(1)} s`
  if (value < 60) return `${Math.round(value)} s`
  return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`
}

/** Bytes as megabytes (10^6), or gigabytes from 1 GB on. */
export const megabytes = (bytes) =>
  bytes >= 1e9
    ? `${(bytes / 1e9).toFixed(1)} GB`
    : `${bytes < 1e7 ? (bytes / 1e6).toFixed(1) : Math.round(bytes / 1e6)} MB`

/**
 * Runs one step under a line of its own.
 * @param work called with `say(text)`, which sets what the line tells while the step runs; returns the closing text
 */
export async function step(name, quiet, work) {
  const started = performance.now()
  const elapsed = () => (performance.now() - started) / 1000
  const label = `  ${name.padEnd(14)}`
  let doing = ''
  let told = { text: '', at: 1.5 - QUIET_SECONDS }
  const timer = setInterval(() => {
    if (quiet || !doing) return
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${label}… ${doing}  ${seconds(elapsed())}`)
    else if (doing !== told.text && elapsed() - told.at > QUIET_SECONDS) {
      told = { text: doing, at: elapsed() }
      console.error(`${label}… ${doing}`)
    }
  }, 200)
  const clear = () => {
    clearInterval(timer)
    if (!quiet && process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  }
  try {
    const done = await work((text) => {
      doing = text
    })
    clear()
    if (!quiet)
      console.error(`${label}${paint(32, '✓')} ${done.padEnd(WIDTH - 16)}${seconds(elapsed()).padStart(8)}`)
  } catch (error) {
    clear()
    if (!quiet) console.error(`${label}${paint(31, '✗')} failed`)
    throw error
  }
}
