/** The model card of a push: what it was trained from, on and with, and how it was measured. No path of this disk. */
import { basename } from 'node:path'
import { stringify } from 'yaml'
import { type ConfigKey, SECTIONS } from '../../config/schema.js'
import { hubName } from '../../hub/name.js'
import { conclusions, summaryTable } from '../../report/result-summary.js'
import type { EvalReport, EvaluationReport } from '../../report/types.js'
import type { RunManifest } from '../../runs/run-manifest.js'

export interface CardSource {
  /** `org/name`. */
  repo: string
  license?: string
  head: 'lm' | 'reward'
  /** Of an adapter; `base` by its name on the hub, where that is known. */
  adapter?: { base?: string }
  /** Of the run that made the model, where it is known. */
  manifest?: RunManifest
  report?: EvalReport
}

/** Settings that say how a model was made; none of them is a path. */
const SHOWN = [
  ...Object.keys(SECTIONS.method),
  ...Object.keys(SECTIONS.rescore),
  ...Object.keys(SECTIONS.train),
  ...['max_length', 'max_prompt_length', 'dtype', 'seed', 'use_peft', 'lora_r', 'lora_alpha'],
] as ConfigKey[]

export function modelCard(source: CardSource): string {
  const { repo, manifest, report } = source
  const parts = [
    `---\n${stringify(frontMatter(source))}---`,
    `# ${repo.split('/')[1]}`,
    introduction(source),
    manifest && section('Data', dataTable(manifest)),
    manifest && section('Training', settingsTable(manifest)),
    report?.evaluation && section('Evaluation', evaluationPart(report)),
  ]
  return `${parts.filter(Boolean).join('\n\n')}\n`
}

/** The keys that the hub reads. */
function frontMatter({ license, head, adapter, manifest }: CardSource): Record<string, unknown> {
  const base = adapter ? adapter.base : hubNameOf(manifest, 'model_name_or_path', 'model')
  const datasets = (manifest?.hub ?? []).filter((e) => e.kind === 'dataset').map((e) => e.name)
  return {
    ...(license === undefined ? {} : { license }),
    library_name: adapter ? 'peft' : 'transformers',
    pipeline_tag: head === 'lm' ? 'text-generation' : 'text-classification',
    ...(base === undefined ? {} : { base_model: base }),
    ...(datasets.length === 0 ? {} : { datasets: [...new Set(datasets)] }),
    tags: [
      'clha',
      ...(head === 'reward' ? ['reward-model'] : ['preference-alignment', ...methodOf(manifest)]),
    ],
  }
}

const methodOf = (manifest?: RunManifest): string[] =>
  typeof manifest?.config.method === 'string' ? [manifest.config.method] : []

/** What a config named on the hub; a folder of somebody's disk is nobody's business. */
function hubNameOf(
  manifest: RunManifest | undefined,
  key: string,
  kind: 'model' | 'dataset',
): string | undefined {
  const text = manifest?.config[key]
  const name = typeof text === 'string' ? hubName(text, kind) : undefined
  return manifest?.hub?.some((e) => e.kind === kind && e.name === name?.repo) ? name?.repo : undefined
}

function introduction({ head, manifest }: CardSource): string {
  const what = head === 'lm' ? 'A language model' : 'A reward model'
  if (manifest === undefined) return `${what}, written by clha.`
  const { method } = manifest.config
  const how = head === 'lm' && typeof method === 'string' ? ` with the method \`${method}\`` : ''
  const versions = ['clha', 'libtorch'].map((name) => `${name} ${manifest.versions[name]}`).join(', ')
  const from = (manifest.hub ?? [])
    .filter((e) => e.kind === 'model')
    .map((e) => `\`${e.name}\` at commit \`${e.commit}\``)
  const start = from.length > 0 ? ` It was made from ${from.join(' and ')}.` : ''
  return `${what}, trained${how} (${versions}).${start}`
}

const section = (title: string, body: string): string => (body === '' ? '' : `## ${title}\n\n${body}`)

const cell = (text: unknown): string => String(text).replaceAll('|', '\\|').replace(/\s+/g, ' ')

function table(columns: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const lines = [columns, columns.map(() => '---'), ...rows]
  return rows.length === 0 ? '' : lines.map((cells) => `| ${cells.map(cell).join(' | ')} |`).join('\n')
}

const dataTable = ({ data }: RunManifest): string =>
  table(
    ['file', 'rows', 'SHA-256'],
    data.map(({ path, rows, sha256 }) => [
      /^[^/\\]+\/[^/\\]+@[0-9a-f]{12}:/.test(path) ? path : basename(path),
      rows ?? '',
      sha256,
    ]),
  )

const settingsTable = ({ config }: RunManifest): string =>
  table(
    ['setting', 'value'],
    SHOWN.filter((key) => config[key] !== undefined && config[key] !== null).map((key) => [
      `\`${key}\``,
      typeof config[key] === 'object' ? JSON.stringify(config[key]) : config[key],
    ]),
  )

function evaluationPart({ evaluation, notes }: EvalReport): string {
  if (!evaluation) return ''
  const named = withoutPaths(evaluation)
  const { columns, rows } = summaryTable(named)
  const lines = [...conclusions(named), ...(notes ?? [])].map((line) => `- ${line}`)
  return [
    table(
      columns.map(({ label }) => label),
      rows,
    ),
    lines.join('\n'),
  ]
    .filter(Boolean)
    .join('\n\n')
}

/** `clha eval` calls systems by their folders. */
function withoutPaths(evaluation: EvaluationReport): EvaluationReport {
  const short = (name: string) => (/@[0-9a-f]{12}$/.test(name) ? name : basename(name))
  return {
    ...evaluation,
    baseline: short(evaluation.baseline),
    rows: evaluation.rows.map((row) => ({ ...row, system: short(row.system) })),
    differences: evaluation.differences?.map((d) => ({ ...d, a: short(d.a), b: short(d.b) })),
  }
}
