/** The routes of a vote: a page that holds nothing, and tasks and ballots for those who have a link. */
import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { turnText } from '../dialogue.js'
import { ApiError, asApiError, badRequest, errorBody, named } from '../serve/api-error.js'
import { jsonOnly, loopbackHost, readableHost, securityHeaders } from '../serve/guard.js'
import { bodyReader } from '../serve/read-body.js'
import type { BallotResult, Booth, View } from './booth.js'
import { namesAuthor } from './identity.js'
import { pageFiles } from './page-files.js'
import type { Ballot, Task, VoteMode } from './tasks.js'

export interface VoteAppOptions {
  booth: Booth
  mode: VoteMode
  /** The rater whose link holds a token; undefined for a wrong one. */
  raterOf(token: string): string | undefined
  /** Names of what is compared: an answer that holds one is flagged. */
  systems: readonly string[]
  /** The address is a loopback one. */
  loopback: boolean
  /** A ballot could not be written, or a bug: the server has to end. */
  failed(error: unknown): void
}

/** Characters of a comment. */
const LONGEST_COMMENT = 10_000
const MAX_BODY = 2 ** 18

const ballotShape = z.strictObject({
  task: z.string().min(1).max(64),
  ranks: z.array(z.int().min(1).max(8)).min(2).max(8).optional(),
  all: z.enum(['both_bad', 'skip']).optional(),
  milliseconds: z.number().min(0).max(1e9).optional(),
  comment: z.string().max(LONGEST_COMMENT).optional(),
})

const undoShape = z.strictObject({ task: z.string().min(1).max(64) })

/** Scripts and styles of this server and nothing else. */
const PAGE_POLICY = [
  "default-src 'none'",
  ...["script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self'"],
  ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
].join('; ')

export function createVoteApp(options: VoteAppOptions): Hono {
  const { booth, mode, systems } = options
  const app = new Hono()
  let broken = false
  app.onError((error, c) => {
    const known = asApiError(error)
    if (!(error instanceof ApiError)) {
      // What was half written has to stay the last thing in the file.
      broken = true
      options.failed(error)
    }
    return c.json(errorBody(known), known.status)
  })
  app.notFound((c) =>
    c.json(errorBody(new ApiError(404, `no route ${c.req.method} ${named(c.req.path)}`)), 404),
  )
  app.use(securityHeaders, readableHost)
  if (options.loopback) app.use(loopbackHost)
  for (const [path, { type, text }] of Object.entries(pageFiles()))
    app.get(path, (c) => c.body(text, 200, { 'content-type': type, 'content-security-policy': PAGE_POLICY }))
  app.use(async (_, next) => {
    if (broken) throw new ApiError(503, 'votes can not be saved; the server is ending')
    await next()
  }, jsonOnly)
  const readBody = bodyReader(MAX_BODY)
  const rater = (c: Context) => {
    const [, token = ''] = /^Bearer (\S+)$/.exec(c.req.header('authorization') ?? '') ?? []
    const name = options.raterOf(token)
    if (name === undefined) throw new ApiError(401, 'this link is not valid here')
    return name
  }
  const view = (name: string) => shownView(booth.view(name), mode, systems)
  app.get('/api/tasks', (c) => c.json(view(rater(c))))
  app.post('/api/vote', async (c) => {
    const name = rater(c)
    const { task, ranks, all, ...facts } = await readBody(c, ballotShape)
    accept(booth.vote(name, task, ballotOf(booth, name, task, ranks, all), facts))
    return c.json(view(name))
  })
  app.post('/api/undo', async (c) => {
    const name = rater(c)
    const { task } = await readBody(c, undoShape)
    accept(booth.undo(name, task))
    return c.json(view(name))
  })
  return app
}

function ballotOf(
  booth: Booth,
  name: string,
  id: string,
  ranks?: number[],
  all?: 'both_bad' | 'skip',
): Ballot {
  if ((ranks === undefined) === (all === undefined))
    throw badRequest('a ballot has ranks, or all: one of them')
  if (all !== undefined) return { all }
  const answers = booth.places(name, id)
  if (answers !== undefined && answers !== ranks?.length) throw badRequest('a rank for each answer', 'ranks')
  return { ranks: ranks as number[] }
}

function accept(result: BallotResult): void {
  if (result === 'conflict') throw new ApiError(409, 'another vote stands there; undo it first')
  if (result === 'unknown') throw badRequest('no such task', 'task')
}

/** What the page is told: texts by their places, and no name of a system. */
function shownView(
  { rater, done, total, tasks, last }: View,
  mode: VoteMode,
  systems: readonly string[],
): object {
  return {
    rater,
    mode,
    done,
    total,
    ...(last !== undefined && { last }),
    tasks: tasks.map((task) => shownTask(task, systems)),
  }
}

function shownTask({ id, prompt, answers, places }: Task, systems: readonly string[]): object {
  const turns =
    typeof prompt === 'string'
      ? [{ role: 'user', content: prompt }]
      : prompt.map((message) => ({ role: message.role, content: turnText(message) }))
  return {
    id,
    turns,
    answers: places.map((i) => ({
      text: answers[i].text,
      ...(namesAuthor(answers[i].text, systems) && { namesAuthor: true }),
    })),
  }
}
