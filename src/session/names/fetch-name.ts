/** A name on the hub becomes the files of its commit in the cache. */
import { join } from 'node:path'
import { type Split, selectData } from '../../hub/data-files.js'
import { selectModel, selectTokenizer } from '../../hub/model-files.js'
import { type HubName, nameText } from '../../hub/name.js'
import { fetchSnapshot, type HubAccess } from '../../hub/snapshot.js'
import type { HubEntry } from '../../runs/run-manifest.js'
import { count } from '../../show/units.js'
import type { Ui } from '../../terminal/ui.js'
import { hubAccess } from './hub-access.js'

export interface Fetching {
  ui: Ui
  access?: HubAccess
  /** What an earlier run of the same folder found: a name stays at its commit. */
  recorded?: readonly HubEntry[]
}

/** What of a repository is wanted: of a model's or of a dataset's. */
export type FetchedPart = 'model' | 'tokenizer' | Split

/** @returns the model's folder or the data's files, and what is to be recorded of them; errors as of `resolveModel` */
export async function fetchName(
  asked: HubName,
  part: FetchedPart,
  { ui, access = hubAccess(ui), recorded = [] }: Fetching,
): Promise<{ paths: string[]; entry: HubEntry }> {
  const { kind, repo: name, revision } = asked
  const known = recorded.find((e) => e.kind === kind && e.name === name && e.revision === revision)
  const { folder, commit, files } = await fetchSnapshot(
    { ...asked, revision: known?.commit ?? revision },
    selection(asked, part),
    access,
  )
  const shown =
    files.slice(0, 3).join(', ') + (files.length > 3 ? ` and ${count(files.length - 3)} more` : '')
  ui.line(`${nameText(asked)}  commit ${commit.slice(0, 12)}${kind === 'dataset' ? ` · ${shown}` : ''}`)
  return {
    paths: kind === 'model' ? [folder] : files.map((file) => join(folder, file)),
    entry: { kind, name, ...(revision === undefined ? {} : { revision }), commit },
  }
}

function selection(asked: HubName, part: FetchedPart): Parameters<typeof fetchSnapshot>[1] {
  const text = nameText(asked)
  if (part === 'model') return selectModel(text)
  return part === 'tokenizer' ? selectTokenizer(text) : selectData(text, part, asked.path)
}
