/** A reward server as one of the scorers of an evaluation. */
import type { RewardEndpoint } from '../../reward/endpoint.js'
import { stoppedError } from '../answer/answer.js'
import { type RunNeeds, runScoring } from '../score/endpoint-scores.js'
import { exampleOf, type Scorer } from './scorers.js'

/** Every answer has to get its score. */
export const endpointScorer = (session: RunNeeds, name: string, endpoint: RewardEndpoint): Scorer => ({
  name,
  async score(prompts, answers) {
    const examples = prompts.map((prompt, i) => exampleOf(prompt, answers[i], i))
    const label = `scoring (${name})`
    const { rewards } = await runScoring(session, endpoint, examples, { label, skipUnread: false })
    const known = rewards.flatMap(([reward]) => reward ?? [])
    if (known.length < answers.length) throw stoppedError(known.length, answers.length)
    return known
  },
})
