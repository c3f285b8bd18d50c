// Drives the page of `clha vote` in Chromium by keys alone, wide and 380 px narrow, light and dark; axe looks at every state.
// `npm run test:page -- screenshots/` keeps pictures. Exit 8: something was found; exit 2: there is no Chromium.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import axe from 'axe-core'
import { root } from './setup/paths.mjs'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const SCREENS = [
  { name: 'wide', width: 1280, height: 860, mobile: false },
  { name: 'phone', width: 380, height: 740, mobile: true },
]
const THEMES = ['light', 'dark']
/** Milliseconds from a key to the next item on the screen: the median, for a busy machine has its moments. */
const LONGEST = 100

const findings = []
const check = (holds, text) => {
  if (!holds) findings.push(text)
}

function findChromium() {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const paths = [process.env.CHROMIUM, ...folders.flatMap((dir) => NAMES.map((name) => join(dir, name)))]
  return paths.find((path) => path && existsSync(path))
}

/** A browser over its debugging pipe: JSON messages that end with a zero byte, on descriptors 3 and 4. */
function openBrowser(path, profile) {
  const child = spawn(
    path,
    [
      '--headless=new',
      '--remote-debugging-pipe',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      `--user-data-dir=${profile}`,
    ],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
  )
  const [, , , input, output] = child.stdio
  const waiting = new Map()
  let held = ''
  let next = 0
  output.setEncoding('utf8')
  output.on('data', (data) => {
    const parts = (held + data).split('\0')
    held = parts.pop()
    for (const part of parts) {
      const { id, result, error } = JSON.parse(part)
      const { resolve, reject } = waiting.get(id) ?? {}
      waiting.delete(id)
      if (error) reject?.(new Error(error.message))
      else resolve?.(result)
    }
  })
  const send = (method, params = {}, sessionId = undefined) =>
    new Promise((resolve, reject) => {
      waiting.set(++next, { resolve, reject })
      input.write(`${JSON.stringify({ id: next, method, params, sessionId })}\0`)
    })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  return {
    send,
    close: () =>
      send('Browser.close')
        .catch(() => child.kill())
        .then(() => ended),
  }
}

async function openPage(browser, url, { width, height, mobile }, theme) {
  const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank' })
  const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: true })
  const send = (method, params) => browser.send(method, params, sessionId)
  await send('Page.enable')
  await send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile })
  await send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: theme }] })
  await send('Page.navigate', { url })
  const evaluate = async (expression) => {
    const { result, exceptionDetails } = await send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    })
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    return result.value
  }
  const until = async (expression, what) => {
    for (let n = 0; n < 400; n++) {
      if (await evaluate(expression).catch(() => false)) return
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    throw new Error(
      `the page never came to this: ${what}; it says: ${await evaluate('document.body.innerText')}`,
    )
  }
  const key = async (name) => {
    const text = name === 'Enter' ? '\r' : name.length === 1 ? name : undefined
    for (const type of [text ? 'keyDown' : 'rawKeyDown', 'keyUp'])
      await send('Input.dispatchKeyEvent', {
        type,
        key: name,
        text: type === 'keyDown' ? text : undefined,
        windowsVirtualKeyCode: CODES[name],
      })
  }
  const picture = async () =>
    Buffer.from((await send('Page.captureScreenshot', { format: 'png' })).data, 'base64')
  return { evaluate, until, key, picture, close: () => browser.send('Target.closeTarget', { targetId }) }
}

const CODES = { ' ': 32, ArrowLeft: 37, ArrowRight: 39, Escape: 27, Tab: 9, Enter: 13 }

/** Answers of two or four systems: short ones, long ones, markup, another direction of writing. */
function writeAnswers(folder, systems) {
  const answers = [
    (s) =>
      s % 2 === 0
        ? 'Lima.'
        : 'The capital of Peru is **Lima**, on the coast of the Pacific. About ten million people live there.',
    (s) =>
      `<img src=x onerror="document.title='run'"><b>not bold</b> & <script>document.title='run'</script> ${s}`,
    (s) =>
      `${'A long answer that goes on and on, as models do when nobody stops them. '.repeat(6 + 2 * s)}\n\n1. first\n2. second`,
    (s) =>
      s % 2 === 0 ? 'I am Qwen, created by Alibaba Cloud.' : 'مرحبا بالعالم: هذا نص من اليمين إلى اليسار.',
    (s) => (s % 2 === 0 ? '' : `https://example.org/${'averylongwordwithoutaspace'.repeat(8)}`),
    ...Array.from({ length: 5 }, (_, i) => (s) => `Answer ${s} to question ${i}.`),
  ]
  const names = ['secret-start', 'secret-tuned', 'secret-third', 'secret-fourth'].slice(0, systems)
  return names.map((name, s) => {
    const path = join(folder, `${name}.jsonl`)
    const rows = answers.map((answer, i) => ({
      prompt: [{ role: 'user', content: `Question ${i}: what is the capital of Peru?` }],
      answer: answer(s),
    }))
    writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    return path
  })
}

/** `clha vote` on such answers, for raters of every screen and theme. */
async function openVote(folder, systems, raters, port = 0) {
  const flags = raters.flatMap((name) => ['--rater', name])
  const args = [
    'vote',
    ...writeAnswers(folder, systems),
    '--output',
    join(folder, 'votes.jsonl'),
    '--port',
    String(port),
    '--repeats',
    '0',
  ]
  const child = spawn(process.execPath, [
    join(root, 'clha'),
    ...args,
    ...flags,
    ...(systems > 2 ? ['--rank'] : []),
  ])
  let text = ''
  const links = await new Promise((resolve, reject) => {
    const look = (data) => {
      text += data
      const found = new Map(
        [...text.matchAll(/^(\S+) {2}(http\S+#\S+)/gm)].map(([, name, link]) => [name, link]),
      )
      if (found.size === raters.length) resolve(found)
    }
    child.stdout.on('data', look)
    child.stderr.on('data', look)
    child.once('exit', (code) => reject(new Error(`clha vote ended with ${code}: ${text}`)))
  })
  const rows = () =>
    readFileSync(join(folder, 'votes.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line.includes('"kind":"person"'))
      .map((line) => JSON.parse(line))
  const kill = () =>
    new Promise((resolve) => {
      child.once('exit', resolve)
      child.kill('SIGKILL')
    })
  return { links, rows, kill, close: () => child.kill() }
}

async function look(page, where, folder) {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')
  for (const { id, help, nodes } of violations)
    check(false, `${where}: axe: ${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 80)).join(' | ')}`)
  const wide = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
  check(wide <= 0, `${where}: ${wide} pixels wider than the screen`)
  check(
    (await page.evaluate('document.title')) === 'Which answer is better?',
    `${where}: markup of an answer ran`,
  )
  check(
    !/secret-/.test(await page.evaluate('document.documentElement.outerHTML')),
    `${where}: the page holds the name of a system`,
  )
  if (folder) writeFileSync(join(folder, `${where}.png`), await page.picture())
}

/** Frames after a key until the page shows another item, in milliseconds; measured in the page. */
const watchNext = (page) =>
  page.evaluate(`window.nextShown = new Promise((resolve) => {
    addEventListener('keydown', () => {
      const from = performance.now()
      const before = document.getElementById('place').textContent
      const look = () => {
        const waited = performance.now() - from
        if (waited > 5000 || document.getElementById('place').textContent !== before) resolve(waited)
        else requestAnimationFrame(look)
      }
      requestAnimationFrame(look)
    }, { once: true, capture: true })
  }); 0`)

const place = (page) => page.evaluate("document.getElementById('place').textContent")

async function drivePairs(browser, vote, screen, theme, folder) {
  const rater = `${screen.name}-${theme}`
  const page = await openPage(browser, vote.links.get(rater), screen, theme)
  await page.until("!document.getElementById('ask').hidden", 'a first item')
  const own = () => vote.rows().filter((row) => row.rater === rater)
  const waits = []
  const press = async (key, done) => {
    // Keys that come faster than the disk takes votes find no item: a person would see the page wait.
    await page.until(
      "!document.getElementById('ask').hidden || document.getElementById('notice').className === 'done'",
      'an item',
    )
    await watchNext(page)
    await page.key(key)
    waits.push(await page.evaluate('window.nextShown'))
    check((await place(page)) === `${rater} · ${done} of 10`, `${rater}: after ${key}: ${await place(page)}`)
  }
  await look(page, `${rater}-1-first`, folder)
  await press('ArrowLeft', 1)
  await press('ArrowRight', 2)
  await press('t', 3)
  await look(page, `${rater}-2-later`, folder)
  await press('b', 4)
  await press('s', 5)
  await press('u', 4)
  await page.key('c')
  await page.until("document.activeElement.id === 'comment'", 'the comment has the focus')
  for (const char of 'tie or not') await page.key(char)
  await look(page, `${rater}-3-comment`, folder)
  await page.key('Escape')
  await press('t', 5)
  // By the buttons, with Tab and Enter: the first button behind the request is "Answer 1".
  await page.key('Tab')
  check(
    (await page.evaluate('document.activeElement.textContent')).startsWith('Answer 1'),
    `${rater}: Tab leads to ${await page.evaluate('document.activeElement.textContent')}`,
  )
  await press('Enter', 6)
  await driveLetters(page, rater)
  await look(page, `${rater}-3-letters-off`, folder)
  await page.key('ArrowRight')
  await page.until(`document.getElementById('place').textContent.includes('7 of 10')`, 'arrows vote')
  await switchLetters(page)
  for (let done = 8; done <= 10; done++) await press('ArrowRight', done)
  await page.until("document.getElementById('notice').textContent.startsWith('That was all')", 'the end')
  await look(page, `${rater}-4-end`, folder)
  const rows = own()
  const standing = rows.length - 2 * rows.filter(({ verdict }) => verdict === 'undo').length
  check(standing === 10, `${rater}: ${standing} votes stand in the file`)
  check(
    rows.some(({ comment, verdict }) => comment === 'tie or not' && verdict === 'tie'),
    `${rater}: the comment is not in the file`,
  )
  const median = waits.sort((a, b) => a - b)[Math.floor(waits.length / 2)]
  check(median < LONGEST, `${rater}: the next item was there after ${median.toFixed(0)} ms`)
  await page.close()
  return `${waits.length} keys, the next item after ${median.toFixed(0)} ms (at most ${waits.at(-1).toFixed(0)} ms)`
}

/** With Tab to the switch, and the space bar. */
async function switchLetters(page) {
  const on = await page.evaluate("document.getElementById('letters').checked")
  for (let n = 0; n < 20; n++) {
    if (await page.evaluate("document.activeElement.id === 'letters'")) break
    await page.key('Tab')
  }
  await page.key(' ')
  check(
    (await page.evaluate("document.getElementById('letters').checked")) !== on,
    'the switch of letters does not move by keys',
  )
}

/** Letters do nothing once they are off, and stay off after the page is opened again. */
async function driveLetters(page, rater) {
  await switchLetters(page)
  const before = await place(page)
  for (let n = 0; n < 2; n++) {
    for (const key of ['t', 'b', 's', 'u', 'c']) await page.key(key)
    check((await place(page)) === before, `${rater}: letters that are off voted: ${await place(page)}`)
    check(
      (await page.evaluate(
        "[...document.querySelectorAll('#keys kbd')].map((k) => k.textContent).join('')",
      )) === '←→',
      `${rater}: a button names a letter that is off`,
    )
    await page.evaluate('window.old = true; location.reload(); 0')
    await page.until("!window.old && !document.getElementById('ask').hidden", 'the page again')
  }
}

async function driveRanking(browser, vote, screen, theme, folder) {
  const rater = `${screen.name}-${theme}`
  const page = await openPage(browser, vote.links.get(rater), screen, theme)
  await page.until("!document.getElementById('ask').hidden", 'a first item')
  await page.key('3')
  await page.key('1')
  await page.until("document.getElementById('rank-0').textContent === 'rank 2'", 'two ranks')
  await look(page, `${rater}-5-rank`, folder)
  await page.key('t')
  await page.until("document.getElementById('place').textContent.includes('1 of 10')", 'the second item')
  await page.until(
    "fetch('/api/tasks', { headers: { authorization: 'Bearer ' + location.hash.slice(1) } }).then((r) => r.json()).then(({ done }) => done === 1)",
    'the ranking is saved',
  )
  const verdicts = vote
    .rows()
    .filter((row) => row.rater === rater)
    .map(({ verdict }) => verdict)
  check(
    verdicts.length === 6 && verdicts.filter((verdict) => verdict === 'tie').length === 1,
    `${rater}: a ranking gave ${verdicts}`,
  )
  await page.close()
}

/** The server dies under an open page: votes wait there, and are sent once it is back. @returns the new server */
async function driveKill(browser, vote, folder, raters) {
  const rater = raters[0]
  const link = vote.links.get(rater)
  const page = await openPage(browser, link, SCREENS[0], THEMES[0])
  await page.until("!document.getElementById('ask').hidden", 'a first item')
  const before = vote.rows().length
  await vote.kill()
  await page.key('s')
  await page.key('b')
  await page.until(
    "document.getElementById('notice').textContent.startsWith('Not saved yet (2)')",
    'unsaved votes',
  )
  const again = await openVote(folder, 4, raters, new URL(link).port)
  await page.until("document.getElementById('notice').textContent === ''", 'saved votes')
  const verdicts = again
    .rows()
    .slice(before)
    .map(({ verdict }) => verdict)
  check(
    String(verdicts) === String(['skip', 'both_bad'].flatMap((v) => new Array(6).fill(v))),
    `after a kill: ${verdicts}`,
  )
  await page.close()
  return again
}

async function main(folder) {
  const chromium = findChromium()
  if (!chromium) {
    console.error(
      'no Chromium is here\n  hint: install it, or name it: CHROMIUM=/path/to/chromium npm run test:page',
    )
    return 2
  }
  if (folder) mkdirSync(folder, { recursive: true })
  const work = mkdtempSync(join(tmpdir(), 'clha-page-'))
  const cases = SCREENS.flatMap((screen) => THEMES.map((theme) => ({ screen, theme })))
  const raters = cases.map(({ screen, theme }) => `${screen.name}-${theme}`)
  const browser = openBrowser(chromium, join(work, 'profile'))
  const closing = []
  try {
    for (const systems of [2, 4]) {
      const data = join(work, String(systems))
      mkdirSync(data)
      const vote = await openVote(data, systems, raters)
      closing.push(vote.close)
      for (const { screen, theme } of cases) {
        if (systems > 2) await driveRanking(browser, vote, screen, theme, folder)
        else {
          console.log(`${screen.name} ${theme}  ${await drivePairs(browser, vote, screen, theme, folder)}`)
        }
      }
      if (systems > 2) closing.push((await driveKill(browser, vote, data, raters)).close)
    }
  } finally {
    for (const close of closing) close()
    await browser.close()
    rmSync(work, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
  for (const text of findings) console.log(`found  ${text}`)
  console.log(findings.length === 0 ? 'nothing found' : `${findings.length} findings`)
  return findings.length === 0 ? 0 : 8
}

process.exitCode = await main(process.argv[2])
