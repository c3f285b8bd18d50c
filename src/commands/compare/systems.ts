/** What is compared: folders of models and files of answers, with the answers that each has or makes. */
import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Example } from '../../data/example.js'
import { fileStem } from '../../data/read/read-files.js'
import type { Prompt } from '../../dialogue.js'
import { usageError } from '../../errors.js'
import { hubLabel } from '../../hub/cache.js'
import { loadLanguageModel } from '../../load/language-model.js'
import { quantizedOf } from '../../load/quantized-options.js'
import { headOfFolder } from '../../models/adapters/adapter-load.js'
import { resolveModelFolder } from '../../models/folders/model-folder.js'
import { runAround } from '../../runs/run-around.js'
import { resolveModel } from '../../session/names/resolve-names.js'
import type { Session } from '../../session/session.js'
import type { AnsweredText } from '../../stations/evaluate/evaluation.js'
import { sampleLocally } from '../../stations/sample/sample-answers.js'
import { type AnswersOfFile, questionKey, readAnswers } from '../../stations/systems/read-answers.js'

export interface ComparedSystem {
  name: string
  path: string
  /** Of a file. */
  file?: AnswersOfFile
  /** Of a model. */
  folder?: string
  /** Resolved settings of the run that the model is of. */
  settings?: Record<string, unknown>
}

/**
 * Looks at every system before anything is computed.
 * @throws ClhaError (exit 2) for fewer than two, one that is named twice, and what is neither model nor answers
 */
export async function openSystems(names: readonly string[], ui: Session['ui']): Promise<ComparedSystem[]> {
  if (names.length < 2) throw usageError('compare needs two systems or more', 'The first is the baseline.')
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice) throw usageError(`${twice} is named twice`, 'A system is not compared with itself.')
  const systems: ComparedSystem[] = []
  for (const path of names) {
    if (existsSync(path) && statSync(path).isFile()) {
      systems.push({ name: join(dirname(path), fileStem(path)), path, file: await readAnswers(path) })
      continue
    }
    const { folder: found } = await resolveModel(path, { ui })
    const folder = resolveModelFolder(found)
    if (headOfFolder(folder) !== 'lm')
      throw usageError(
        `${path}: a reward model, it cannot answer`,
        'Reward models judge: --eval-reward-model.',
      )
    systems.push({ name: hubLabel(path), path, folder, settings: runAround(folder)?.manifest.config })
  }
  const labels = shortNames(systems.map(({ name }) => name))
  return systems.map((system, i) => ({ ...system, name: labels[i] }))
}

/** As much of the end of each path as tells it from the others; a checkpoint has its run's name before it. */
function shortNames(paths: readonly string[]): string[] {
  const parts = paths.map((path) => path.split(/[\\/]/).filter((part) => part !== '' && part !== '.'))
  const end = (i: number, n: number) => parts[i].slice(-n).join('/')
  return paths.map((path, i) => {
    const least = /^checkpoint-\d+$/.test(parts[i].at(-1) ?? '') ? 2 : 1
    for (let n = least; n < parts[i].length; n++)
      if (parts.every((_, other) => other === i || end(other, n) !== end(i, n))) return end(i, n)
    return path
  })
}

/** Prompts of all files, with those of `asked` where there are any; a file's missing prompts are counted. */
export function sharedPrompts(
  systems: readonly ComparedSystem[],
  asked: readonly Pick<Example, 'prompt' | 'source'>[] | undefined,
): { prompts: { prompt: Prompt; source: string }[]; missing: { name: string; prompts: number }[] } {
  const files = systems.flatMap(({ name, file }) => (file ? [{ name, file }] : []))
  const wanted = new Map<string, { prompt: Prompt; source: string }>()
  for (const { prompt, source = 'answers' } of asked ?? files.flatMap(({ file }) => [...file.rows.values()]))
    if (!wanted.has(questionKey(prompt))) wanted.set(questionKey(prompt), { prompt, source })
  const missing = files.map(({ name, file }) => ({
    name,
    prompts: [...wanted.keys()].filter((key) => !file.rows.has(key)).length,
  }))
  const kept = [...wanted].filter(([key]) => files.every(({ file }) => file.rows.has(key)))
  return {
    prompts: kept.map(([, found]) => found),
    missing: missing.filter(({ prompts }) => prompts > 0),
  }
}

/** Answers of a file, or of a model: those that are known from `dir`, and the others made now. */
export async function answersOf(
  session: Session,
  { name, file, folder, path }: ComparedSystem,
  prompts: readonly Prompt[],
  dir: string,
): Promise<{ answers: AnsweredText[]; made: number }> {
  if (file) {
    const answers = prompts.map((prompt) => file.rows.get(questionKey(prompt)) as AnsweredText)
    return { answers, made: 0 }
  }
  const { options, dtype } = session
  const model = folder ?? path
  const lm = await loadLanguageModel(model, dtype, options.chatTemplate, quantizedOf(options, 'all'))
  try {
    const examples = prompts.map(
      (prompt, i): Example => ({
        id: String(i),
        prompt,
        candidates: [],
        preferences: [],
        source: '',
        file: path,
        row: i + 1,
      }),
    )
    const { temperature, seed } = options
    const sampling = { count: 1, temperature, seed, name, dir }
    const { answers, asked, known } = await sampleLocally(session, lm, model, examples, sampling)
    return { answers: answers.map(([answer]) => answer), made: asked - known }
  } finally {
    lm.model.dispose()
  }
}
