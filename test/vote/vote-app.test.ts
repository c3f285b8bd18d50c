import { request } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { listen } from '../../src/serve/server.js'
import { createLinks } from '../../src/vote/links.js'
import { createVoteApp } from '../../src/vote/vote-app.js'
import { boothOn, itemsOf, SECRET } from './ballots.js'

const SYSTEMS = ['hidden-name-one', 'hidden-name-two']

async function serving(mode: 'pair' | 'rank' = 'pair', systems = SYSTEMS) {
  const voting = boothOn(itemsOf(6, systems), { mode })
  const links = createLinks(SECRET, ['ann', 'bob'])
  const failures: unknown[] = []
  const app = createVoteApp({
    booth: voting.booth(),
    mode,
    raterOf: links.raterOf,
    systems,
    loopback: true,
    failed: (error) => failures.push(error),
  })
  const server = await listen(app, '127.0.0.1', 0)
  onTestFinished(() => server.stop(0, () => {}).then(() => {}))
  const ask = async (
    path: string,
    body?: object,
    token = links.token('ann'),
    more: Record<string, string> = {},
  ) => {
    const response = await fetch(`${server.url}${path}`, {
      method: body ? 'POST' : 'GET',
      headers: {
        authorization: `Bearer ${token}`,
        ...(body && { 'content-type': 'application/json' }),
        ...more,
      },
      body: body && JSON.stringify(body),
    })
    const text = await response.text()
    // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape
    return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) as any }
  }
  return { ...voting, ask, links, failures, url: server.url }
}

test('nothing that leaves before, with or after a vote holds the name of a system', async () => {
  const { ask } = await serving()
  const seen: string[] = []
  let view = await ask('/api/tasks')
  seen.push(view.text)
  for (let n = 0; n < 6; n++) {
    const { tasks } = view.json()
    view = await ask('/api/vote', { task: tasks[0].id, ranks: [1, 2], milliseconds: 10 })
    seen.push(view.text)
  }
  expect(view.json()).toMatchObject({ rater: 'ann', done: 6, total: 6, tasks: [] })
  for (const path of ['/', '/vote.js', '/vote.css']) seen.push((await ask(path)).text)
  for (const text of seen) expect(text).not.toContain('hidden-name')
})

test('tasks and votes need the token of a link; the page holds nothing and needs none', async () => {
  const { ask, links, rows } = await serving()
  const [{ id }] = (await ask('/api/tasks')).json().tasks
  for (const token of ['', 'x', links.token('ann').slice(0, -1), links.token('carl')]) {
    expect((await ask('/api/tasks', undefined, token)).status).toBe(401)
    expect((await ask('/api/vote', { task: id, ranks: [1, 2] }, token)).status).toBe(401)
    expect((await ask('/api/undo', { task: id }, token)).status).toBe(401)
  }
  expect((await ask('/api/vote', { task: id, ranks: [1, 2] }, links.token('bob'))).status).toBe(400)
  expect(rows()).toEqual([])
  expect((await ask('/', undefined, '')).status).toBe(200)
})

test('the page may load scripts and styles of this server and nothing else', async () => {
  const { ask } = await serving()
  const { headers, text } = await ask('/')
  expect(headers.get('content-security-policy')).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  )
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(text).not.toMatch(/<script(?![^>]*src=)|\son\w+=|style=|https?:\/\//)
  expect((await ask('/vote.js')).headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  expect((await ask('/api/tasks')).headers.get('content-security-policy')).toContain("default-src 'none'")
})

test('a page whose name was made to point here gets nothing, and forms of other sites neither', async () => {
  const { url, ask, links } = await serving()
  const status = await new Promise((resolve, reject) => {
    const headers = { host: 'evil.example', authorization: `Bearer ${links.token('ann')}` }
    request(`${url}/api/tasks`, { headers }, (response) => resolve(response.statusCode))
      .once('error', reject)
      .end()
  })
  expect(status).toBe(403)
  expect((await ask('/api/vote', {}, undefined, { 'content-type': 'text/plain' })).status).toBe(415)
})

test('what is no ballot is refused by what is wrong with it', async () => {
  const { ask, rows } = await serving()
  const [{ id }] = (await ask('/api/tasks')).json().tasks
  for (const [body, message] of [
    [{ task: id }, 'ranks, or all'],
    [{ task: id, ranks: [1, 2], all: 'skip' }, 'ranks, or all'],
    [{ task: id, ranks: [1, 2, 3] }, 'a rank for each answer'],
    [{ task: id, ranks: [0, 1] }, 'ranks.0'],
    [{ task: id, all: 'error' }, 'all'],
    [{ task: 'nonsense', ranks: [1, 2] }, 'no such task'],
    [{ task: id, ranks: [1, 2], rater: 'bob' }, 'unknown field "rater"'],
    [{ task: id, ranks: [1, 2], comment: 'x'.repeat(10_001) }, 'comment'],
  ] as const) {
    const { status, json } = await ask('/api/vote', body)
    expect(status, message).toBe(400)
    expect(json().error.message).toContain(message)
  }
  expect(rows()).toEqual([])
})

test('a vote that was lost on the way back is sent again and counts once; another verdict is refused', async () => {
  const { ask, restart, failures } = await serving()
  const [{ id }] = (await ask('/api/tasks')).json().tasks
  const ballot = { task: id, ranks: [1, 2], milliseconds: 3 }
  expect((await ask('/api/vote', ballot)).json()).toMatchObject({ done: 1 })
  expect((await ask('/api/vote', ballot)).json()).toMatchObject({ done: 1, last: id })
  expect((await ask('/api/vote', { task: id, ranks: [2, 1] })).status).toBe(409)
  expect((await ask('/api/undo', { task: id })).json()).toMatchObject({ done: 0 })
  expect((await ask('/api/undo', { task: id })).json()).toMatchObject({ done: 0 })
  expect((await ask('/api/vote', { task: id, ranks: [2, 1] })).json()).toMatchObject({ done: 1 })
  expect(restart().map(({ verdict }) => verdict === 'undo')).toEqual([false, true, false])
  expect(failures).toEqual([])
})

test('text is text: markup in prompts and answers arrives as it is, for the page to show and never to run', async () => {
  const { ask } = await serving()
  const js = (await ask('/vote.js')).text
  expect(js).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function/)
})

test('answers that name what is compared are flagged', async () => {
  const { ask } = await serving('pair', ['text 0.0', 'text 4.1'])
  const flagged = new Set<string>()
  let { tasks } = (await ask('/api/tasks')).json()
  for (; tasks.length > 0; ) {
    for (const { text, namesAuthor } of tasks[0].answers) if (namesAuthor) flagged.add(text)
    tasks = (await ask('/api/vote', { task: tasks[0].id, all: 'skip' })).json().tasks
  }
  expect([...flagged].sort()).toEqual(['text 0.0', 'text 4.1'])
})
