/** A GGUF file named as a model: imported once into the cache, and read from there as a folder. */
import { existsSync, realpathSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { cacheFolder } from '../../files/cache-folder.js'
import { sha256 } from '../../files/digest.js'
import { type ImportedGguf, importGguf } from '../../models/gguf/import-gguf.js'
import type { ImportOptions } from '../../models/gguf/weights-of-gguf.js'
import { bytes } from '../../show/units.js'
import type { Progress } from '../../terminal/progress.js'
import type { Ui } from '../../terminal/ui.js'

/**
 * The folder of a file's import, which is made where it is not there yet. A file that was changed is imported anew.
 * @throws ClhaError (exit 2) as `importGguf`
 */
export async function ggufFolder(path: string, ui: Ui): Promise<string> {
  const real = realpathSync(path)
  const { size, mtimeNs } = statSync(real, { bigint: true })
  const key = sha256([real, size, mtimeNs].join('\n')).slice(0, 12)
  const folder = join(cacheFolder(), 'gguf', `${basename(real).replace(/\.gguf$/i, '')}-${key}`)
  if (existsSync(folder)) return folder
  ui.line(`${path}  ${bytes(Number(size))} · imported once, to ${folder}`)
  await importWithProgress(real, folder, ui)
  return folder
}

/** `importGguf`, with a sign of life. */
export async function importWithProgress(
  path: string,
  folder: string,
  ui: Ui,
  dtype?: ImportOptions['dtype'],
): Promise<ImportedGguf> {
  let bar: Progress | undefined
  const onWeight = (done: number, total: number) => {
    bar ??= ui.progress(total, 'importing', 'tensors')
    bar.update(done)
  }
  const imported = await importGguf(path, folder, { dtype, onWeight })
  bar?.done()
  return imported
}
