/** What every pipeline says goes through here: for people as text, for machines as JSON Lines. */
import type { Writable } from 'node:stream'
import pc from 'picocolors'
import { type JsonValue, toJsonLine } from '../show/json-lines.js'
import { printable, wrapped } from '../show/printable.js'
import { type Cells, tableLines } from '../show/table.js'
import { type Progress, type ProgressView, startProgress } from './progress.js'

export interface Ui {
  /** A new station of a pipeline, such as `reward model`. */
  station(title: string, detail?: string): void
  line(text: string): void
  /** Something to know, and what to do about it. */
  warn(text: string, advice?: string): void
  /**
   * @param total 0 when unknown
   * @param unit  plural, such as `pairs`: the rate is given in it
   * @param brief leaves nothing behind where it took no longer than a moment
   */
  progress(total: number, label: string, unit?: string, brief?: boolean): Progress
  table(table: Cells): void
  /** Text as it comes, without a newline of its own (a model that speaks). */
  write(text: string): void
  /** The result: one JSON line on standard output with `--json`, nothing otherwise. */
  result(value: object): void
  /** A row of metrics: one JSON line with `--json`, nothing otherwise. */
  metric(row: Record<string, unknown>): void
  /** Stops a bar that still runs; called when a pipeline ends, well or not. */
  close(): void
}

type Stream = Writable & { isTTY?: boolean; columns?: number }

export interface UiOptions {
  json?: boolean
  /** Where text goes: standard output, or standard error with `--json`. */
  stream?: Stream
  /** Where JSON goes. */
  jsonStream?: Stream
  isTty?: boolean
  /** Environment: `NO_COLOR`, `TERM`. */
  env?: NodeJS.ProcessEnv
  /** Milliseconds between plain progress lines; 10 s when left out. */
  interval?: number
  now?(): number
}

/** Text is always made printable first, so a model's answer can't steer the terminal. */
export function createUi(options: UiOptions = {}): Ui {
  const { json = false, env = process.env, interval = 10_000, now = () => performance.now() } = options
  const stream: Stream = options.stream ?? (json ? process.stderr : process.stdout)
  const jsonStream = options.jsonStream ?? process.stdout
  const isTty = options.isTty ?? stream.isTTY === true
  const colors = pc.createColors(isTty && !env.NO_COLOR && env.TERM !== 'dumb')
  let bar: ProgressView | undefined
  const say = (text: string) => {
    bar?.hide()
    stream.write(text)
    if (text.endsWith('\n')) bar?.show()
  }
  const room = () => (isTty && stream.columns ? stream.columns : Number.POSITIVE_INFINITY)
  const fitting = (text: string) => wrapped(printable(text), room())
  const emit = (kind: string, value: JsonValue) => {
    if (json) jsonStream.write(toJsonLine({ [kind]: value }))
  }
  return {
    station(title, detail) {
      say(`${colors.bold(printable(title))}${detail ? `  ${printable(detail)}` : ''}\n`)
      emit('station', detail === undefined ? { title } : { title, detail })
    },
    line: (text) => say(`${fitting(text)}\n`),
    warn(text, advice) {
      const body = fitting(advice === undefined ? `! ${text}` : `! ${text}\n  ${advice}`)
      say(`${colors.yellow('!')}${body.slice(1)}\n`)
      emit('warning', advice === undefined ? { text } : { text, advice })
    },
    progress(total, label, unit, brief) {
      bar?.stop()
      const view = startProgress({ stream, isTty, interval, now, brief }, total, label, unit)
      bar = view
      return {
        begin: view.begin,
        update: view.update,
        done(summary) {
          view.done(summary)
          if (bar === view) bar = undefined
        },
      }
    },
    table(table) {
      const [titles, ...lines] = tableLines(table, room() - 2)
      say(`${[colors.dim(titles), ...lines].map((line) => `  ${line}`).join('\n')}\n`)
    },
    write: (text) => say(printable(text)),
    result: (value) => emit('result', value as JsonValue),
    metric: (row) => emit('metric', row as JsonValue),
    close() {
      bar?.stop()
      bar = undefined
    },
  }
}
