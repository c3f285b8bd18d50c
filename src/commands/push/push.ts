/** `clha push`: a checkpoint's model files and a model card to the hub. Never data, optimizer state or logs. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { MANIFEST_NAME } from '../../checkpoint/policy/manifest.js'
import { verifyCheckpoint } from '../../checkpoint/policy/verify.js'
import { usageError } from '../../errors.js'
import { DiskStorage } from '../../files/storage.js'
import { selectModel } from '../../hub/model-files.js'
import { type HubName, hubName } from '../../hub/name.js'
import { type HubSettings, hubSettings } from '../../hub/settings.js'
import { type UploadFile, uploadFiles } from '../../hub/upload.js'
import { resolveModelFolder } from '../../models/folders/model-folder.js'
import type { EvalReport } from '../../report/types.js'
import { type RunAround, runAround } from '../../runs/run-around.js'
import { RUN_FILE } from '../../runs/run-manifest.js'
import { shellPath } from '../../show/shell.js'
import { bytes } from '../../show/units.js'
import type { Ui } from '../../terminal/ui.js'
import { adapterFile, baseOnHub, headOf, isAdapterAlone } from './hub-adapter.js'
import { modelCard } from './model-card.js'

export interface PushSettings {
  /** A run folder, a checkpoint or any model folder. */
  from: string
  /** `org/name`. */
  to: string
  private?: boolean
  /** Branch; main when left out. */
  revision?: string
  /** As the hub names it, such as `apache-2.0`. */
  license?: string
  /** A card of one's own, in place of the made one. */
  card?: string
  /** Send nothing: list the files and write the card. */
  dryRun?: boolean
}

export interface PushResult {
  files: { path: string; bytes: number }[]
  /** Where the card was written, without sending. */
  card?: string
  commit?: string
  url?: string
}

const CARD = 'README.md'

/** @throws ClhaError (exit 2): no model, a damaged checkpoint, no such name, no token or right; (exit 4): no network */
export async function push(
  given: PushSettings,
  ui: Ui,
  settings: HubSettings = hubSettings(),
): Promise<PushResult> {
  const name = targetOf(given)
  const source = existsSync(join(given.from, 'clha', RUN_FILE)) ? join(given.from, 'clha') : given.from
  const folder = resolveModelFolder(source)
  checkWhole(folder)
  const names = readdirSync(folder).filter((file) => statSync(join(folder, file)).isFile())
  const chosen = await selectModel(folder)(names, (file) => readFile(join(folder, file), 'utf8'))
  const run = runAround(folder)
  const files: UploadFile[] = chosen.map((path) => {
    const adapter = adapterFile(folder, path, run?.manifest, ui)
    if (adapter !== undefined) return { path, source: { text: adapter }, size: Buffer.byteLength(adapter) }
    return { path, source: { file: join(folder, path) }, size: statSync(join(folder, path)).size }
  })
  const text = given.card === undefined ? cardOf(given, folder, run) : readCard(given.card)
  files.push({ path: CARD, source: { text }, size: Buffer.byteLength(text) })
  const listed = files.map(({ path, size }) => ({ path, bytes: size }))
  for (const { path, size } of files) ui.line(`${path}  ${bytes(size)}`)
  if (!/^license:/m.test(text)) {
    ui.warn('the card states no license', 'others may not use the model then; name one with --license')
  }
  if (given.dryRun) {
    const card = join(run?.dir ?? folder, 'model-card.md')
    writeCard(card, text, ui)
    ui.line(`nothing was sent. The card lies in ${card}; with changes of your own: --card ${shellPath(card)}`)
    return { files: listed, card }
  }
  const total = files.reduce((sum, { size }) => sum + size, 0)
  const bar = ui.progress(Math.ceil(total / 1e6), `pushing ${name.repo}`, 'MB')
  const title = `Model of clha${run ? ` (${run.manifest.kind})` : ''}`
  const { commit, url } = await uploadFiles({
    settings,
    name,
    private: given.private === true,
    title,
    files,
    progress: (share) => bar.update(Math.round((share * total) / 1e6)),
  })
  bar.done(bytes(total))
  ui.line(`model    ${url}  commit ${commit.slice(0, 12)}`)
  return { files: listed, commit, url }
}

function targetOf({ to, revision }: PushSettings): HubName {
  // A folder of this name may lie here; the target is on the hub in any case.
  const name = hubName(to.startsWith('hf://') ? to : `hf://${to}`, 'model') as HubName
  if (name.revision !== undefined && revision !== undefined && name.revision !== revision) {
    throw usageError(`${to} and --revision ${revision} name two branches`, 'give one of them')
  }
  return { ...name, revision: name.revision ?? revision }
}

/** What somebody wrote into the card of an earlier dry run stays. */
function writeCard(path: string, text: string, ui: Ui): void {
  if (!existsSync(path) || readFileSync(path, 'utf8') === text) writeFileSync(path, text)
  else ui.warn(`${path} is there and says something else: it is kept`, 'remove it, and a new one is written')
}

function readCard(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isFile()) return readFileSync(path, 'utf8')
  throw usageError(`--card ${path}: no such file`, 'give a model card in Markdown; --dry-run writes one')
}

/** A folder that was saved here is checked; one of another tool has no manifest. */
function checkWhole(folder: string): void {
  if (!existsSync(join(folder, MANIFEST_NAME))) return
  const { reason } = verifyCheckpoint(new DiskStorage(), folder)
  if (reason !== undefined)
    throw usageError(`${folder}: damaged, not pushed: ${reason}`, 'push another checkpoint')
}

function cardOf({ to, license }: PushSettings, folder: string, run: RunAround | undefined): string {
  return modelCard({
    repo: to.replace('hf://', '').split('@')[0],
    license,
    manifest: run?.manifest,
    head: headOf(folder),
    ...(isAdapterAlone(folder) && { adapter: { base: baseOnHub(folder, run?.manifest) } }),
    report: run && reportOf(run.dir),
  })
}

/** report.json of the run, or of the alignment that it was a stage of. */
function reportOf(dir: string): EvalReport | undefined {
  const path = [join(dir, 'report.json'), join(dirname(dir), 'report.json')].find((file) => existsSync(file))
  if (path === undefined) return undefined
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as EvalReport
  } catch {
    throw usageError(`${path}: not readable as JSON`, 'remove it, or give a card of your own with --card')
  }
}
