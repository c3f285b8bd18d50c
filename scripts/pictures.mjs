// The pictures of README and docs, from a real run: its report and audit as a browser shows them, its terminal as it was.
//
//   script -qec './clha quickstart --output-dir build/pictures' build/pictures.tty
//   node scripts/pictures.mjs build/pictures build/pictures.tty
//
// Needs a chromium (its path in CHROMIUM, or `chromium` on the PATH). Writes docs/pictures/.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './setup/paths.mjs'

const [run = 'runs/quickstart', typescript] = process.argv.slice(2)
const out = join(root, 'docs/pictures')
const temporary = mkdtempSync(join(tmpdir(), 'clha-pictures-'))

/** A page with only some of its sections, and only some of the cards in them, as PNG. */
function photograph(name, html, style, [width, height]) {
  const page = join(temporary, `${name}.html`)
  writeFileSync(page, html.replace('</style>', `${style}</style>`))
  const png = join(out, `${name}.png`)
  const browser = process.env.CHROMIUM ?? 'chromium'
  const flags = [
    '--headless',
    '--no-sandbox',
    '--hide-scrollbars',
    '--disable-gpu',
    '--force-color-profile=srgb',
  ]
  execFileSync(
    browser,
    [...flags, `--window-size=${width},${height}`, `--screenshot=${png}`, `file://${page}`],
    {
      stdio: 'ignore',
    },
  )
  told(png)
}

const told = (path) => console.log(`${path}  ${Math.round(statSync(path).size / 1000)} kB`)

const ESC = String.fromCharCode(27)
const QUIET = new RegExp(`${ESC}[78]|${ESC}\\[\\?\\d+[hl]`, 'g')
/** A bar goes back to the first column and draws anew. */
const BACK = new RegExp(`\\r|${ESC}\\[[01]?G`)
const UP = new RegExp(`${ESC}\\[1A`, 'g')
const CONTROL = new RegExp(`${ESC}\\[[\\d;]*[A-Za-z]`, 'g')

/** What is left on a terminal: of each line what was drawn last, without colours; a bar that went up again took its line along. */
function lastDrawn(text) {
  const lines = []
  for (const line of text.replaceAll('\r\n', '\n').split('\n')) {
    for (const _ of line.matchAll(UP)) lines.pop()
    const bare = line
      .replace(QUIET, '')
      .split(BACK)
      .map((part) => part.replace(CONTROL, ''))
    lines.push(bare.findLast((part) => part.trim() !== '') ?? '')
  }
  return lines
}

const escaped = (text) => text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c])

/** Lines in a monospaced face on a dark ground; 80 columns are cut at nothing. */
function terminal(lines) {
  const [size, line, pad] = [13, 19, 18]
  const columns = Math.max(...lines.map((text) => [...text].length))
  const width = Math.ceil(columns * size * 0.602 + 2 * pad)
  const height = lines.length * line + 2 * pad
  const rows = lines.map((text, i) => {
    const weight = /^(\$|\d+ \S)/.test(text) ? ' font-weight="bold"' : ''
    return `<text x="${pad}" y="${pad + (i + 0.75) * line}"${weight} xml:space="preserve">${escaped(text)}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="clha quickstart in a terminal">
<rect width="100%" height="100%" rx="6" fill="#15181c"/>
<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="${size}" fill="#e6e7e8">
${rows.join('\n')}
</g>
</svg>
`
}

mkdirSync(out, { recursive: true })
try {
  const report = readFileSync(join(run, 'report.html'), 'utf8')
  // How long it took says more of what else the machine did.
  const bare = 'nav,header p{display:none!important}body{padding-top:1.2rem!important}details{display:none}'
  photograph('report', report, `${bare}section:not(#result):not(#samples){display:none}`, [1000, 1560])
  const some =
    'section:not(#audit):not(#reversed),header,#audit .figures,#audit>.scroll:last-child{display:none}'
  const cards = `${some}section{margin-top:0!important}#reversed .sample:nth-of-type(n+4){display:none}`
  photograph('audit', readFileSync(join(run, 'audit.html'), 'utf8'), `${bare}${cards}`, [1000, 1240])
  if (typescript) {
    const text = readFileSync(typescript, 'utf8').replace(/^Script (started|done).*\n/gm, '')
    const all = lastDrawn(text).map((line) => line.trimEnd())
    while (all.at(-1) === '') all.pop()
    const at = (station) => all.findIndex((line) => line.startsWith(station))
    const rescore = all.slice(at('4 rescore'), at('5 sft'))
    const lines = ['$ npm run quickstart', '…', ...rescore, '…', ...all.slice(at('7 evaluate'))]
    const svg = join(out, 'terminal.svg')
    writeFileSync(svg, terminal(lines))
    told(svg)
  }
} finally {
  rmSync(temporary, { recursive: true, force: true })
}
