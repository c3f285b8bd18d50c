/** A function of the user's own as one of the scorers of an evaluation. */
import { type FunctionNeeds, runFunction } from '../score/function-scores.js'
import { exampleOf, type Scorer } from './scorers.js'

export const functionScorer = (session: FunctionNeeds, name: string, path: string): Scorer => ({
  name,
  async score(prompts, answers) {
    const examples = prompts.map((prompt, i) => exampleOf(prompt, answers[i], i))
    const { rewards } = await runFunction(session, path, examples)
    return rewards.map(([reward]) => reward)
  },
})
