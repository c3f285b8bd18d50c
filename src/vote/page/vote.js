// @ts-check
/** The page of a vote: shows tasks, takes keys and clicks, sends ballots one after the other until each is confirmed. */

/**
 * @typedef {{ text: string, namesAuthor?: boolean }} Answer
 * @typedef {{ id: string, turns: { role: string, content: string }[], answers: Answer[] }} Task
 * @typedef {{ rater: string, mode: 'pair' | 'rank', done: number, total: number, last?: string, tasks: Task[] }} View
 * @typedef {{ ranks: number[] } | { all: 'both_bad' | 'skip' }} Ballot
 * @typedef {{ route: 'vote' | 'undo', task: string, body: object }} Message
 * @typedef {{ key: string, label: string, kbd: string, kind?: string, act: () => void, off?: () => boolean }} Command
 */

/** @template {HTMLElement} T @param {string} id @returns {T} */
const at = (id) => /** @type {T} */ (document.getElementById(id))

const token = location.hash.replace(/^#/, '')

const state = {
  /** @type {View | undefined} */ view: undefined,
  /** Ballots that are not confirmed. @type {Message[]} */
  outgoing: [],
  /** Tasks that were answered here and are not confirmed. @type {Set<string>} */
  answered: new Set(),
  /** What an undo would take back. @type {string | undefined} */
  last: undefined,
  /** Places in the order in which they were ranked. @type {number[][]} */
  ranked: [],
  /** @type {Task | undefined} */ shown: undefined,
  /** Whether single letters and digits act; arrows always do. */
  letters: true,
  /** Milliseconds that the task was looked at, and since when it is again. */
  looked: 0,
  since: 0,
}

/** @param {string} path @param {object} [body] @returns {Promise<View>} */
async function request(path, body) {
  const response = await fetch(`/api/${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    body: body && JSON.stringify(body),
  })
  if (response.ok) return response.json()
  const { error } = await response.json().catch(() => ({ error: { message: response.statusText } }))
  throw Object.assign(new Error(error.message), { status: response.status })
}

/** @param {string} text @param {string} [kind] */
function say(text, kind = 'problem') {
  if (at('notice').textContent !== text) at('notice').textContent = text
  at('notice').className = kind
}

// Sending

let sending = false

async function send() {
  if (sending) return
  sending = true
  while (state.outgoing.length > 0) {
    const [{ route, task, body }] = state.outgoing
    try {
      const view = await request(route, body)
      state.outgoing.shift()
      if (route === 'vote') state.answered.delete(task)
      state.view = view
      say('')
    } catch (error) {
      const { status, message } = /** @type {Error & { status?: number }} */ (error)
      if (status !== undefined && status < 500) {
        state.outgoing = []
        state.answered.clear()
        say(`Not saved: ${message}.`)
        await load()
        break
      }
      say(`Not saved yet (${state.outgoing.length}): the server does not answer. Leave this page open.`)
      await new Promise((resolve) => setTimeout(resolve, 1000))
      continue
    }
    if (state.outgoing.length === 0) state.last = state.view?.last
    show()
  }
  sending = false
}

async function load() {
  try {
    state.view = await request('tasks')
    state.last = state.view.last
    setLetters(localStorage.getItem(lettersKey()) !== 'off')
    show()
  } catch (error) {
    const { status } = /** @type {Error & { status?: number }} */ (error)
    if (status === 401) return say('This link is not valid. Ask for a new one.')
    say('The server does not answer; trying again.')
    setTimeout(load, 1000)
  }
}

/** @param {Ballot} ballot */
function vote(ballot) {
  const task = state.shown
  if (!task) return
  const comment = /** @type {HTMLTextAreaElement} */ (at('comment')).value.trim()
  const body = { task: task.id, ...ballot, milliseconds: lookedFor(), ...(comment && { comment }) }
  state.outgoing.push({ route: 'vote', task: task.id, body })
  state.answered.add(task.id)
  state.last = task.id
  show()
  send()
}

function undo() {
  if (state.ranked.length > 0) {
    state.ranked = []
    return showRanks()
  }
  const task = state.last
  if (!task) return
  state.last = undefined
  state.outgoing.push({ route: 'undo', task, body: { task } })
  send()
}

// Time that a task is looked at

const lookedFor = () => Math.round(state.looked + (document.hidden ? 0 : performance.now() - state.since))

document.addEventListener('visibilitychange', () => {
  if (document.hidden) state.looked += performance.now() - state.since
  state.since = performance.now()
})

// Showing

/** @param {string} tag @param {string} className @param {string} text */
function element(tag, className, text) {
  const made = document.createElement(tag)
  made.className = className
  made.textContent = text
  return made
}

const ROLES = /** @type {Record<string, string>} */ ({
  system: 'System',
  user: 'Person',
  assistant: 'Assistant',
  tool: 'Tool',
})

function show() {
  const { view } = state
  if (!view) return
  const open = view.tasks.filter(({ id }) => !state.answered.has(id))
  const done = Math.min(view.total, view.done + state.answered.size)
  at('place').textContent = `${view.rater} · ${done} of ${view.total}`
  Object.assign(at('progress'), { max: Math.max(1, view.total), value: done })
  at('title').textContent = view.mode === 'rank' ? 'Rank the answers' : 'Which answer is better?'
  const [task] = open
  if (task?.id !== state.shown?.id || !task) showTask(task, view)
  showKeys(view)
}

/** @param {Task | undefined} task @param {View} view */
function showTask(task, view) {
  state.shown = task
  state.ranked = []
  at('ask').hidden = !task
  if (!task) {
    if (view.done >= view.total) say('That was all. Thank you! Every vote is saved.', 'done')
    else say('Saving …', 'waiting')
    return
  }
  const alone = task.turns.length === 1
  at('turns').replaceChildren(
    ...task.turns.map(({ role, content }) => {
      const turn = element('p', 'turn', '')
      if (!alone) turn.append(element('b', '', ROLES[role] ?? role))
      turn.append(content)
      return turn
    }),
  )
  at('answers').replaceChildren(...task.answers.map(answerCard))
  at('comment-box').hidden = true
  Object.assign(at('comment'), { value: '' })
  state.looked = 0
  state.since = performance.now()
  scrollTo(0, 0)
  at('request').focus({ preventScroll: true })
}

/** @param {Answer} answer @param {number} place */
function answerCard({ text, namesAuthor }, place) {
  const card = document.createElement('article')
  const title = element('h2', '', `Answer ${place + 1}`)
  title.id = `answer-${place}`
  card.setAttribute('aria-labelledby', title.id)
  const rank = element('span', 'rank', '')
  rank.id = `rank-${place}`
  card.append(
    rank,
    title,
    text.trim() === '' ? element('p', 'empty', 'an empty answer') : element('div', 'text', text),
  )
  if (namesAuthor)
    card.append(element('p', 'flag', 'This answer may name its author. Judge the answer, not the name.'))
  return card
}

// Keys and buttons

const pairCommands = () =>
  /** @type {Command[]} */ ([
    { key: 'ArrowLeft', kbd: '←', label: 'Answer 1', kind: 'main', act: () => vote({ ranks: [1, 2] }) },
    { key: 'ArrowRight', kbd: '→', label: 'Answer 2', kind: 'main', act: () => vote({ ranks: [2, 1] }) },
    { key: 't', kbd: 'T', label: 'Equally good', kind: 'half', act: () => vote({ ranks: [1, 1] }) },
  ])

/** @param {number} answers */
const rankCommands = (answers) =>
  /** @type {Command[]} */ ([
    ...Array.from({ length: answers }, (_, place) => ({
      ...{ key: String(place + 1), kbd: String(place + 1), kind: 'half' },
      label: `Answer ${place + 1} next`,
      act: () => rank(place),
      off: () => state.ranked.flat().includes(place),
    })),
    { key: 't', kbd: 'T', label: 'Rest equal', kind: 'half', act: rankRest },
  ])

const commonCommands = /** @type {Command[]} */ ([
  { key: 'b', kbd: 'B', label: 'All bad', kind: 'half', act: () => vote({ all: 'both_bad' }) },
  { key: 's', kbd: 'S', label: 'Skip', act: () => vote({ all: 'skip' }) },
  { key: 'u', kbd: 'U', label: 'Undo', act: undo, off: () => !state.last && state.ranked.length === 0 },
  { key: 'c', kbd: 'C', label: 'Comment', act: comment },
])

/** @param {View} view */
function commandsOf({ mode }) {
  const task = state.shown
  if (!task) return commonCommands.filter(({ key }) => key === 'u')
  const own = mode === 'rank' ? rankCommands(task.answers.length) : pairCommands()
  return [...own, ...commonCommands]
}

/** Buttons are made anew only where there are others: the focus stays where it was. @param {View} view */
function showKeys(view) {
  const commands = commandsOf(view)
  const box = at('keys')
  if (box.parentElement) box.parentElement.hidden = false
  const made = [state.letters, ...commands.map(({ key }) => key)].join()
  if (box.dataset.made !== made) {
    box.dataset.made = made
    box.replaceChildren(...commands.map(buttonOf))
  }
  commands.forEach(({ off }, i) => {
    const button = /** @type {HTMLButtonElement} */ (box.children[i])
    button.disabled = off?.() ?? false
  })
}

/** @param {Command} command */
function buttonOf({ key, kbd, label, kind = '' }) {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = kind
  button.append(label)
  if (acts(key)) {
    button.setAttribute('aria-keyshortcuts', key)
    const hint = element('kbd', '', kbd)
    hint.setAttribute('aria-hidden', 'true')
    button.append(hint)
  }
  button.addEventListener('click', () => run(key))
  return button
}

// Who dictates, or rests a hand on the keys, turns single characters off (WCAG 2.1.4); kept for each rater.

/** @param {string} key */
const acts = (key) => state.letters || key.length > 1

const lettersKey = () => `letters:${state.view?.rater}`

/** @param {boolean} on */
function setLetters(on) {
  state.letters = on
  Object.assign(at('letters'), { checked: on })
}

at('letters').addEventListener('change', () => {
  setLetters(/** @type {HTMLInputElement} */ (at('letters')).checked)
  localStorage.setItem(lettersKey(), state.letters ? 'on' : 'off')
  if (state.view) showKeys(state.view)
})

/** @param {string} key */
function run(key) {
  const command = state.view && commandsOf(state.view).find((one) => one.key === key)
  if (!command || command.off?.()) return false
  command.act()
  return true
}

/** @param {number} place */
function rank(place) {
  state.ranked.push([place])
  const left = unranked()
  if (left.length <= 1) return rankRest()
  showRanks()
}

const unranked = () =>
  (state.shown?.answers ?? []).map((_, i) => i).filter((i) => !state.ranked.flat().includes(i))

function rankRest() {
  const groups = [...state.ranked, unranked()].filter((group) => group.length > 0)
  const ranks = /** @type {number[]} */ ([])
  groups.forEach((group, i) => {
    for (const place of group) ranks[place] = i + 1
  })
  state.ranked = []
  vote({ ranks })
}

function showRanks() {
  for (const [i] of (state.shown?.answers ?? []).entries()) {
    const rank = state.ranked.findIndex((group) => group.includes(i))
    at(`rank-${i}`).textContent = rank < 0 ? '' : `rank ${rank + 1}`
    at(`rank-${i}`).parentElement?.classList.toggle('chosen', rank >= 0)
  }
  if (state.view) showKeys(state.view)
}

function comment() {
  at('comment-box').hidden = false
  at('comment').focus()
}

document.addEventListener('keydown', (event) => {
  if (event.target === at('comment')) {
    if (event.key === 'Escape') at('request').focus()
    return
  }
  // A key that is held down is one vote; keys of the browser stay the browser's.
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return
  if (!acts(event.key)) return
  if (run(event.key.length === 1 ? event.key.toLowerCase() : event.key)) event.preventDefault()
})

addEventListener('beforeunload', (event) => {
  if (state.outgoing.length > 0) event.preventDefault()
})

load()
