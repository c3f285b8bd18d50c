/** The date that a run's chat templates write, as the folder has it that the run goes on in. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseRunManifest, RUN_FILE } from '../runs/run-manifest.js'

/** The earliest date recorded by the runs in a folder and its stages; undefined where there is none. */
export function recordedDate(dir: string): Date | undefined {
  if (!existsSync(dir)) return undefined
  const stages = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const dates = ['.', ...stages.map(({ name }) => name)].flatMap((name) => dateIn(join(dir, name, RUN_FILE)))
  return dates.sort((a, b) => a.getTime() - b.getTime())[0]
}

function dateIn(file: string): Date[] {
  if (!existsSync(file)) return []
  const date = new Date(parseRunManifest(readFileSync(file, 'utf8'))?.template_date ?? '')
  return Number.isNaN(date.getTime()) ? [] : [date]
}
