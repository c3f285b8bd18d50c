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

export function suiteLines({ title, unit, contenders, rows }) {
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
    ...aligned([['contender', unit, 'peak MiB', 'system time', 'foreign cores'], ...rates]),
    '',
    ...aligned([
      ['clha against', 'ratio', 'spread', 'goal', '', 'by cpu time', 'memory', 'goal', ''],
      ...rows.map((row) => rowCells(row, unit)),
    ]),
  ]
}

function rowCells(row, unit) {
  if (row.failure) return [row.theirs ?? 'its goal', 'not measured', '', '', '', '', '', '', '']
  const spread = `${digits(row.low)} - ${digits(row.high)}`
  if (row.most !== undefined)
    return [
      'its goal',
      `${digits(row.value)} ${unit}`,
      spread,
      `<= ${row.most}`,
      verdict(row.met),
      '',
      '',
      '',
      '',
    ]
  return [
    row.theirs,
    digits(row.ratio),
    spread,
    row.goal === undefined ? '' : `>= ${row.goal}`,
    verdict(row.met),
    digits(row.byProcessor),
    digits(row.memoryRatio),
    row.memory === undefined ? '' : `<= ${row.memory}`,
    verdict(row.memoryMet),
  ]
}
