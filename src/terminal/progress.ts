/** Progress of one task: a bar on a terminal, a line now and then elsewhere. */
import { clearLine, cursorTo, moveCursor } from 'node:readline'
import type { Writable } from 'node:stream'
import { SingleBar } from 'cli-progress'
import { displayWidth, oneLine, wrapped } from '../show/printable.js'
import { count, duration, figure, rate } from '../show/units.js'

export type Fields = Record<string, string | number>

export interface Progress {
  /** Where it begins: what was there before is no part of the rate. */
  begin(done: number): void
  /** `done` of `total`; `fields` are shown behind it, such as `{loss: 1.42}`. */
  update(done: number, fields?: Fields): void
  /** Ends it, with a summary in place of the fields. */
  done(summary?: string): void
}

/** What the user interface needs of a running bar: to make room for a line of text. */
export interface ProgressView extends Progress {
  hide(): void
  show(): void
  /** Stops drawing, without a summary. */
  stop(): void
}

export interface ProgressOptions {
  stream: Writable & { columns?: number }
  isTty: boolean
  /** Milliseconds between plain lines. */
  interval: number
  /** Milliseconds, any origin. */
  now(): number
  /** Leaves nothing behind where it took no longer than a moment. */
  brief?: boolean
}

/** What a brief task may take, in milliseconds. */
const MOMENT = 2000

/**
 * @param total in the units of `update`; 0 when unknown
 * @param unit  plural, such as `pairs`, for the rate
 */
export function startProgress(
  { stream, isTty, interval, now, brief = false }: ProgressOptions,
  total: number,
  label: string,
  unit = '',
): ProgressView {
  let started = now()
  let first = 0
  let current = { done: 0, fields: {} as Fields }
  const pace = () => {
    const elapsed = (now() - started) / 1000
    const made = current.done - first
    const speed = made > 0 && elapsed > 0 ? made / elapsed : Number.NaN
    return { elapsed, speed, left: (total - current.done) / speed }
  }
  const take = (done: number, fields: Fields) => {
    current = { done, fields: { ...current.fields, ...fields } }
  }
  const name = oneLine(label, 40)
  const view = isTty ? barView(stream, total, name) : plainView(stream, total, name, interval, now)
  return {
    begin(done) {
      started = now()
      first = done
      current = { ...current, done }
    },
    update(done, fields = {}) {
      take(done, fields)
      view.draw(current.done, tail(current.fields, unit, pace()))
    },
    done(summary) {
      const { elapsed } = pace()
      if (brief && elapsed * 1000 < MOMENT) return view.drop()
      view.end(
        current.done,
        `${summary === undefined ? fieldText(current.fields) : oneLine(summary, 400)}  ${duration(elapsed)}`,
      )
    },
    hide: () => view.hide(),
    show: () => view.show(),
    stop: () => view.stop(),
  }
}

const fieldText = (fields: Fields): string =>
  Object.entries(fields)
    .map(([name, value]) => oneLine(`${name} ${typeof value === 'number' ? figure(value) : value}`, 40))
    .join('  ')

function tail(fields: Fields, unit: string, { speed, left }: { speed: number; left: number }): string {
  const parts = [fieldText(fields)]
  if (Number.isFinite(speed)) parts.push(rate(speed, unit))
  if (Number.isFinite(left) && left > 0) parts.push(`${duration(left)} left`)
  return parts.filter((part) => part !== '').join('  ')
}

interface View {
  draw(done: number, text: string): void
  end(done: number, text: string): void
  /** Ends it as if it had never been there. */
  drop(): void
  hide(): void
  show(): void
  stop(): void
}

const SAVE_CURSOR = '\x1b7'

function barView(stream: ProgressOptions['stream'], total: number, name: string): View {
  /** Columns behind the bar. */
  let room = 0
  const bar = new SingleBar({
    stream: stream as unknown as NodeJS.WritableStream,
    format: (_options, params, payload: { text?: string }) => {
      const counts = total > 0 ? `${count(params.value)}/${count(total)}` : count(params.value)
      const share = total > 0 ? Math.min(1, params.value / total) : 0
      const columns = (stream.columns || 80) - 1
      const headOf = (size: number) => {
        const blocks = Math.round(share * size)
        return `${name}  ${'█'.repeat(blocks)}${'░'.repeat(size - blocks)}  ${counts}`
      }
      // The time that is left stands last: rather a shorter bar than a line without it.
      const fits = displayWidth(headOf(20)) + 2 + displayWidth(payload.text ?? '') <= columns
      const head = headOf(fits ? 20 : 10)
      room = columns - displayWidth(head) - 2
      return room > 4 ? `${head}  ${oneLine(payload.text ?? '', room)}`.trimEnd() : oneLine(head, columns)
    },
    hideCursor: false,
    gracefulExit: false,
    forceRedraw: true,
    // Without, the terminal would cut every line at its edge as long as a bar runs; the bar itself is never that long.
    linewrap: true,
    barsize: 20,
    emptyOnZero: true,
  })
  bar.start(Math.max(total, 1), 0, { text: '' })
  return {
    draw: (done, text) => bar.update(done, { text }),
    end(done, text) {
      const fits = displayWidth(text) <= room
      bar.update(done, { text: fits ? text : '' })
      bar.stop()
      if (!fits) stream.write(`${wrapped(`  ${text}`, stream.columns || 80)}\n`)
    },
    hide() {
      cursorTo(stream, 0)
      clearLine(stream, 0)
    },
    show() {
      // cli-progress returns to the saved cursor when it stops; without this it would land on text written since.
      stream.write(SAVE_CURSOR)
      bar.render()
    },
    drop() {
      bar.stop()
      moveCursor(stream, 0, -1)
      cursorTo(stream, 0)
      clearLine(stream, 0)
    },
    stop: () => bar.stop(),
  }
}

function plainView(stream: Writable, total: number, name: string, interval: number, now: () => number): View {
  let last = now()
  const write = (done: number, text: string) => {
    const counts = total > 0 ? `${count(done)}/${count(total)}` : count(done)
    stream.write(`${name}  ${counts}  ${text}`.trimEnd().concat('\n'))
  }
  return {
    draw(done, text) {
      if (now() - last < interval) return
      last = now()
      write(done, text)
    },
    end: write,
    drop() {},
    hide() {},
    show() {},
    stop() {},
  }
}
