/** Answers side by side: the same prompt, every system, their rewards. */

import { formatSigned } from '../show/numbers.js'
import { escapeHtml as esc } from './kit/escape.js'
import { type Html, long, moreInJson, type Section } from './kit/html.js'
import type { SampleReport } from './types.js'

const SHOWN = 30
const PROMPT_LIMIT = 1500
const ANSWER_LIMIT = 2000

export function samplesSection(samples: SampleReport[] | undefined): Section {
  const shown = samples?.slice(0, SHOWN) ?? []
  const rest = moreInJson((samples?.length ?? 0) - SHOWN)
  return { id: 'samples', heading: 'Answers side by side', body: shown.map(sample).join('\n') + rest }
}

function sample(s: SampleReport, k: number): Html {
  const best = bestByReward(s)
  const answers = s.answers.map((a) => {
    const rewards = Object.entries(a.rewards).map(([name, value]) => {
      const top = best.get(name) === value ? ' class="best"' : ''
      return `<dt>${esc(name)}</dt><dd${top}>${formatSigned(value)}${top ? ' (highest)' : ''}</dd>`
    })
    return `<div class="answer"><h4>${esc(a.system)}</h4>${long(a.text, ANSWER_LIMIT)}${rewards.length ? `<dl>${rewards.join('')}</dl>` : ''}</div>`
  })
  const source = s.source ? ` · ${esc(s.source)}` : ''
  return `<article class="sample"><h3>Prompt ${k + 1}${source}</h3>${long(s.prompt, PROMPT_LIMIT, 'quoted prompt')}<div class="answers">${answers.join('')}</div></article>`
}

/** The highest reward of each scorer, where the answers differ in it. */
function bestByReward(s: SampleReport): Map<string, number> {
  const names = new Set(s.answers.flatMap((a) => Object.keys(a.rewards)))
  const best = new Map<string, number>()
  for (const name of names) {
    const values = s.answers.flatMap((a) => a.rewards[name] ?? [])
    if (new Set(values).size > 1) best.set(name, Math.max(...values))
  }
  return best
}
