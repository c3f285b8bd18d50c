// Suites as text.

const digits = (n) =>
  n === undefined ? '' : n >= 1000 ? Math.round(n).toLocaleString('en') : n.toPrecision(3)
const verdict = (met) => (met === undefined ? '' : met ? 'met' : 'MISSED')

function aligned(rows) {
  const widths = rows[0].map((_, c) => Math.max(...rows.map((row) => row[c].length)))
  return rows.map((row) =>
    row
      .map((cell, c) => (c === 0 ? cell.padEnd(widths[c]) : cell.padStart(widths[c])))
      .join('  ')
      .trimEnd(),
  )
}

export function suiteLines({ title, unit, gpu, contenders, leftOut, rows }) {
  const rates = contenders.map(({ name, rate, peakMiB, system, foreign, failure }) =>
    rate === undefined
      ? [name, failure.split('\n')[0], '', '', '']
      : [
          failure ? `${name} (${failure.split('\n')[0]})` : name,
          digits(rate),
          digits(peakMiB),
          `${Math.round(100 * system)} %`,
          digits(foreign),
        ],
  )
  return [
    '',
    title,
    ...aligned([
      ['contender', unit, gpu ? 'GPU peak MiB' : 'peak MiB', 'system time', 'foreign cores'],
      ...rates,
    ]),
    ...leftOut.map((line) => `left out: ${line}`),
    '',
    ...aligned([
      ['clha against', 'ratio', 'spread', 'goal', '', 'by cpu time', 'memory', 'goal', ''],
      ...rows.map((row) => rowCells(row, unit, gpu)),
    ]),
  ]
}

function rowCells(row, unit, gpu) {
  const name = labelOf(row)
  if (row.failure) return [name, 'not measured', '', '', '', '', '', '', '']
  const spread = `${digits(row.low)} - ${digits(row.high)}`
  if (row.theirs === undefined) {
    const goal = row.least === undefined ? `<= ${row.most}` : `>= ${row.least}`
    const value = row.kind === 'rate' ? `${digits(row.value)} ${unit}` : digits(row.value)
    return [name, value, spread, goal, verdict(row.met), '', '', '', '']
  }
  return [
    name,
    digits(row.ratio),
    spread,
    row.goal === undefined ? '' : `>= ${row.goal}`,
    verdict(row.met),
    // The processor waits while a GPU works.
    gpu ? '' : digits(row.byProcessor),
    digits(row.memoryRatio),
    row.memory === undefined ? '' : `<= ${row.memory}`,
    verdict(row.memoryMet),
  ]
}

function labelOf({ ours, theirs, kind, peak }) {
  if (theirs !== undefined) return ours ? `${theirs} (${ours})` : theirs
  if (kind !== 'mfu') return 'its goal'
  return peak === undefined ? `MFU (${ours})` : `MFU at ${digits(peak / 1e12)} TFLOP/s (${ours})`
}
