/** The tokenizer and the chat template with which a `clha data` command counts or shows tokens. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Options } from '../config/options.js'
import { usageError } from '../errors.js'
import { resolveModelFolder, tokenizerFolderOf } from '../models/folders/model-folder.js'
import { resolveModel } from '../session/names/resolve-names.js'
import type { Ui } from '../terminal/ui.js'
import { type ChatTemplate, chatTemplate } from '../text/template.js'
import { loadTokenizer, type TextTokenizer } from '../text/tokenizer.js'
import { readTemplate } from './language-model.js'

export interface TextReader {
  tokenizer: TextTokenizer
  template: ChatTemplate
}

/**
 * The tokenizer that the options name, else that of the model; undefined when they name neither.
 * @throws ClhaError (exit 2) for a folder without one, or a template that is none, or that no tokenizer reads
 */
export async function openTokenizer(
  {
    tokenizerNameOrPath,
    modelNameOrPath,
    chatTemplate: template,
  }: Pick<Options, 'tokenizerNameOrPath' | 'modelNameOrPath' | 'chatTemplate'>,
  ui: Ui,
): Promise<TextReader | undefined> {
  const name = tokenizerNameOrPath ?? modelNameOrPath
  if (name === undefined && template !== undefined)
    throw usageError(
      'chat_template writes text for a tokenizer, and none is named',
      'Give --tokenizer-name-or-path, or leave it out.',
    )
  if (name === undefined) return undefined
  const { folder } = await resolveModel(name, { ui }, 'tokenizer')
  const hasTokenizer = statSync(join(folder, 'tokenizer.json'), { throwIfNoEntry: false }) !== undefined
  const isModel = tokenizerNameOrPath === undefined && !hasTokenizer
  const tokenizer = await loadTokenizer(isModel ? tokenizerFolderOf(resolveModelFolder(folder)) : folder)
  return { tokenizer, template: await chatTemplate(tokenizer, template && readTemplate(template)) }
}
