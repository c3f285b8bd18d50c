/** `clha vote`: a page for people, until a signal ends it. */

import { userInfo } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadConfig } from '../../config/load-config.js'
import { usageError } from '../../errors.js'
import { systemsOf } from '../../judges/pairings.js'
import { takeLock } from '../../runs/lock.js'
import { isLoopback } from '../../serve/guard.js'
import { listen } from '../../serve/server.js'
import { amount, count } from '../../show/units.js'
import { comparisonSource } from '../../stations/systems/comparison-source.js'
import { sayAtStop, stopRequested } from '../../terminal/signals.js'
import type { Ui } from '../../terminal/ui.js'
import { openComparison } from '../../verdicts/comparison-file.js'
import type { ComparisonItem, VerdictRow } from '../../verdicts/types.js'
import { openBooth } from '../../vote/booth.js'
import { createLinks, openSecret } from '../../vote/links.js'
import { openSetup, type VoteSetup } from '../../vote/setup.js'
import { MOST_RANKED, shownAnswers } from '../../vote/tasks.js'
import { createVoteApp } from '../../vote/vote-app.js'
import { numberIfGiven, textOf, textsOf } from '../own-flags.js'

export interface VoteCall {
  /** Files of answers, or of a comparison. */
  inputs: readonly string[]
  output?: string
  gold?: string
  raters: readonly string[]
  /** What is left out is as the vote was begun. */
  setup: Partial<VoteSetup>
  host: string
  port: number
  /** Asked every few milliseconds; left out: signals end it. */
  ended?(): boolean
  /** Called once the page can be opened, with the link of each rater. */
  opened?(links: { rater: string; link: string }[]): void
}

export interface VoteResult {
  file: string
  url: string
  /** Ballots of each rater. */
  raters: { rater: string; done: number; total: number }[]
}

/** Milliseconds between looks at the stop request. */
const STOP_POLL = 50
/** Milliseconds that ballots under way have. */
const GRACE = 5000

/** What a command line says. @throws ClhaError (exit 2) */
export async function voteCall(args: readonly string[], flags: Record<string, unknown>): Promise<VoteCall> {
  const { host, port } = flags
  const { options } = await loadConfig(undefined, { host, port }, 'vote')
  const raters = textsOf(flags.rater).map((name) => name.trim())
  const bad = raters.find((name, i) => name === '' || name.length > 60 || raters.indexOf(name) < i)
  if (bad !== undefined)
    throw usageError(`--rater "${bad}": a name is short, not empty, and given once`, 'such as --rater ann')
  return {
    inputs: args,
    output: textOf(flags.output),
    gold: textOf(flags.gold),
    raters,
    setup: {
      mode: flags.rank === undefined ? undefined : flags.rank === true ? 'rank' : 'pair',
      repeats: numberIfGiven('--repeats', flags.repeats, { least: 0, most: 0.5, whole: false }),
    },
    host: options.host,
    port: options.port,
  }
}

/** @throws ClhaError exit 2: nothing to compare, or votes of the other mode; exit 3: the comparison or the port is in use; exit 4: the disk is full */
export async function vote(call: VoteCall, ui: Ui): Promise<VoteResult> {
  const { path, items } = await comparisonSource(call.inputs, call, ui)
  checkItems(path, items, call)
  const log = openComparison(path, items, { lock: takeLock })
  try {
    if (log.comparison.torn)
      ui.warn(`${path}: a vote that was being written when the last server died is not in it`)
    const raters = ratersOf(call.raters, log.comparison.rows)
    const secret = openSecret(`${path}.links`)
    const links = createLinks(secret, raters)
    const setup = openSetup(`${path}.links`, log.comparison, call.setup)
    const booth = openBooth(log, { ...setup, secret })
    const loopback = isLoopback(call.host)
    let failure: unknown
    const app = createVoteApp({
      booth,
      mode: setup.mode,
      loopback,
      raterOf: links.raterOf,
      systems: systemsOf(items),
      failed(error) {
        failure ??= error
      },
    })
    const server = await listen(app, call.host, call.port)
    const ended = call.ended ?? stopRequested
    if (!call.ended) sayAtStop('no further votes; every vote so far is saved …')
    sayLinks(
      ui,
      { server: server.url, path, loopback },
      raters.map((rater) => [booth.view(rater), links.token(rater)]),
    )
    call.opened?.(raters.map((rater) => ({ rater, link: `${server.url}/#${links.token(rater)}` })))
    while (!ended() && failure === undefined) await sleep(STOP_POLL)
    await server.stop(GRACE, () => {})
    if (failure !== undefined) throw failure
    const done = raters
      .map((rater) => booth.view(rater))
      .map(({ rater, done, total }) => ({ rater, done, total }))
    return { file: path, url: server.url, raters: done }
  } finally {
    log.close()
  }
}

/** Those who were named, else the one at this machine; and those who voted before. */
function ratersOf(named: readonly string[], rows: readonly VerdictRow[]): string[] {
  const voted = rows.filter(({ kind }) => kind === 'person').map(({ rater }) => rater)
  const usual = voted.length > 0 ? [] : [userInfo().username]
  return [...new Set([...(named.length > 0 ? named : usual), ...voted])]
}

function checkItems(path: string, items: readonly ComparisonItem[], { setup }: VoteCall): void {
  const most = Math.max(0, ...items.map((item) => shownAnswers(item).length))
  if (most < 2)
    throw usageError(`${path}: no item has two answers whose text is known`, 'people have to read them')
  if (setup.mode === 'rank' && most > MOST_RANKED)
    throw usageError(
      `--rank: up to ${MOST_RANKED} answers are ranked, not ${most}`,
      'compare two at a time instead',
    )
}

interface Place {
  server: string
  path: string
  loopback: boolean
}

function sayLinks(
  ui: Ui,
  { server, path, loopback }: Place,
  raters: readonly (readonly [{ rater: string; done: number; total: number }, string])[],
): void {
  ui.station('vote', `${server} · votes go to ${path}`)
  for (const [{ rater, done, total }, token] of raters)
    ui.line(`${rater}  ${server}/#${token}  ${count(done)} of ${amount(total, 'vote')}`)
  if (!loopback)
    ui.warn(
      'whoever has a link can vote under its name, and nothing is encrypted on the way',
      'outside of a network that you trust, listen on 127.0.0.1 and put a server with TLS before it',
    )
  ui.line('Ctrl-C ends it; the same command goes on from here')
}
