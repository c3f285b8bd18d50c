import { EventEmitter } from 'node:events'
import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { listenForStop, sayAtStop, stopExitCode, stopRequested } from '../../src/terminal/signals.js'
import { createUi } from '../../src/terminal/ui.js'

class Screen extends Writable {
  text = ''
  isTTY = false
  columns = 100
  override _write(chunk: Buffer, _: unknown, done: () => void) {
    this.text += chunk
    done()
  }
}

/** A terminal, for which cli-progress asks for these. */
const terminal = () => Object.assign(new Screen(), { isTTY: true })

test('without a terminal progress is a line every ten seconds and one at the end', () => {
  const screen = new Screen()
  let time = 0
  const ui = createUi({ stream: screen, now: () => time })
  const progress = ui.progress(1000, 'scoring', 'answers')
  for (let done = 10; done <= 250; done += 10) {
    time += 1000
    progress.update(done, { loss: 1.42 })
  }
  progress.done()
  const lines = screen.text.trimEnd().split('\n')
  expect(lines).toHaveLength(3)
  expect(lines[0]).toMatch(/^scoring {2}100\/1,000 {2}loss 1\.420 {2}10\.0 answers\/s {2}1 min 30 s left$/)
  expect(lines[2]).toBe('scoring  250/1,000  loss 1.420  25 s')
})

test('on a terminal there is one bar, and text does not break it', () => {
  const screen = terminal()
  const ui = createUi({ stream: screen, env: {} })
  const progress = ui.progress(4, 'step')
  progress.update(2, { loss: 0.5 })
  ui.line('a line')
  progress.done('held-out accuracy 84 %')
  expect(screen.text).toContain('step  ██████████░░░░░░░░░░  2/4  loss 0.500')
  // The cursor that the bar returns to is the one below the text.
  expect(screen.text).toContain('a line\n\u001b7')
  expect(screen.text).toMatch(/held-out accuracy 84 %/)
  ui.close()
})

test('the first figure counts what was done, not one tick; what was there before a resume is no part of it', () => {
  const screen = new Screen()
  let time = 0
  const ui = createUi({ stream: screen, now: () => time, interval: 0 })
  const scoring = ui.progress(1000, 'scoring', 'answers')
  time = 1000
  scoring.update(64)
  // 936 at 64 a second.
  expect(screen.text).toBe('scoring  64/1,000  64.0 answers/s  15 s left\n')
  const resumed = ui.progress(1000, 'train', 'steps')
  resumed.begin(900)
  time = 3000
  resumed.update(904)
  // 96 at 2 a second.
  expect(screen.text.split('\n')[1]).toBe('train  904/1,000  2.0 steps/s  48 s left')
})

test('a terminal wraps the text above a bar: nothing is cut at its edge, and the bar never reaches it', () => {
  const screen = Object.assign(terminal(), { columns: 80 })
  const ui = createUi({ stream: screen, env: {} })
  const progress = ui.progress(400, 'a long task', 'answers')
  progress.update(200, { loss: 1.42, 'rewards/margins': 0.5, 'rewards/accuracies': 0.9, tokens: '9,999' })
  const long = 'labels agree with the reward '.repeat(8)
  ui.line(long)
  const summary = `held-out accuracy 84 % (95 % interval 81 to 87 %), ${'of many pairs '.repeat(6)}and so on`
  progress.done(summary)
  expect(screen.text).not.toContain('\u001b[?7l')
  const words = screen.text.replace(/\s+/g, ' ')
  expect(words).toContain(long.trim())
  expect(words).toContain(summary)
  const lines = screen.text.split(/\n|\p{Cc}\[[0-9;?]*[A-Za-z]|\p{Cc}[78]/u)
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80)
  const drawn = lines.filter((line) => line.includes('█'))
  expect(drawn.length).toBeGreaterThan(1)
  for (const line of drawn) expect(line.length).toBeLessThan(80)
})

test('a bar left open is stopped by close: it is drawn no more, and a second close says nothing', () => {
  const screen = terminal()
  const ui = createUi({ stream: screen, env: {} })
  const progress = ui.progress(4, 'step')
  progress.update(1)
  ui.line('the bar is drawn again below a line')
  expect(screen.text).toContain('1/4')
  ui.close()
  const closed = screen.text
  progress.update(2)
  ui.close()
  expect(screen.text).toBe(closed)
})

test('colour only on a terminal, and never with NO_COLOR', () => {
  const shown = (screen: Screen, env: NodeJS.ProcessEnv) => {
    createUi({ stream: screen, env }).station('data')
    return screen.text
  }
  expect(shown(terminal(), {})).toContain('\u001b[1m')
  expect(shown(terminal(), { NO_COLOR: '1' })).toBe('data\n')
  expect(shown(new Screen(), {})).toBe('data\n')
})

test("a model's text can't steer the terminal, wherever it is shown", () => {
  const screen = new Screen()
  const ui = createUi({ stream: screen })
  const evil = '\u001b[2J\u0007'
  ui.station(evil, evil)
  ui.line(evil)
  ui.warn(evil, evil)
  ui.write(evil)
  ui.table({ columns: [{ label: 'a' }], rows: [[evil]] })
  ui.progress(1, evil).done(evil)
  expect(screen.text).not.toContain('\u001b')
  expect(screen.text).not.toContain('\u0007')
  expect(screen.text).toContain('\\x1b[2J\\x07')
})

test('with json standard output has JSON lines only, and text goes to the other stream', () => {
  const text = new Screen()
  const json = new Screen()
  const ui = createUi({ json: true, stream: text, jsonStream: json })
  ui.station('align', 'clha')
  ui.line('hello')
  ui.warn('odd', 'do this')
  ui.metric({ step: 1, 'rewards/margins': 0.5 })
  ui.result({ outputDir: 'runs/a' })
  expect(
    json.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { station: { title: 'align', detail: 'clha' } },
    { warning: { text: 'odd', advice: 'do this' } },
    { metric: { step: 1, 'rewards/margins': 0.5 } },
    { result: { output_dir: 'runs/a' } },
  ])
  expect(text.text).toBe('align  clha\nhello\n! odd\n  do this\n')
})

test('without json nothing is said by metric and result', () => {
  const screen = new Screen()
  const json = new Screen()
  const ui = createUi({ stream: screen, jsonStream: json })
  ui.metric({ step: 1 })
  ui.result({ a: 1 })
  expect(screen.text + json.text).toBe('')
})

test('the first signal asks to stop, a second Ctrl-C leaves at once', () => {
  const source = new EventEmitter()
  const said: string[] = []
  const exits: number[] = []
  const end = listenForStop({ say: (text) => said.push(text), exit: (code) => exits.push(code), source })
  expect([stopRequested(), stopExitCode()]).toEqual([false, undefined])
  source.emit('SIGINT')
  expect([stopRequested(), stopExitCode()]).toEqual([true, 130])
  expect(said[0]).toMatch(/^stopping after this step …/)
  source.emit('SIGTERM')
  expect(exits).toEqual([])
  source.emit('SIGINT')
  expect(exits).toEqual([130])
  end()
  expect([stopRequested(), source.listenerCount('SIGINT')]).toEqual([false, 0])
})

test('what is waited for is said in the words of the command, until it ends', () => {
  const source = new EventEmitter()
  const said: string[] = []
  const listen = () => listenForStop({ say: (text) => said.push(text), exit() {}, source })
  const end = listen()
  sayAtStop('no further requests …')
  source.emit('SIGINT')
  end()
  const next = listen()
  source.emit('SIGINT')
  next()
  expect(said).toEqual([
    'no further requests … (Ctrl-C again: at once)',
    'stopping after this step … (Ctrl-C again: at once)',
  ])
})

test.each(['SIGTERM', 'SIGHUP'])('%s ends with 143', (signal) => {
  const source = new EventEmitter()
  const end = listenForStop({ say() {}, exit() {}, source })
  source.emit(signal)
  expect(stopExitCode()).toBe(143)
  end()
})
