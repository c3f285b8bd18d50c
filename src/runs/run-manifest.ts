/** run.json: what was run, on what, with which data, and how it ended. */

import { join } from 'node:path'
import { z } from 'zod'
import type { Storage } from '../files/storage.js'
import { replaceFile } from '../files/whole.js'

export const RUN_FILE = 'run.json'
export const RUN_FORMAT = 'clha-run/1'

const STATUSES = ['running', 'done', 'stopped', 'failed'] as const

export type RunStatus = (typeof STATUSES)[number]

export interface DataFile {
  path: string
  sha256: string
  rows?: number
}

/** A model or data set that was named on the hub, and the commit that the name meant. */
export interface HubEntry {
  kind: 'model' | 'dataset'
  /** `org/name`. */
  name: string
  /** As it was asked for; main when absent. */
  revision?: string
  commit: string
}

/** Keys as they stand in the file. */
export interface RunManifest {
  format: string
  /** What the run does: `train`, `align`, ... */
  kind: string
  status: RunStatus
  /** ISO 8601, UTC. */
  started: string
  /** When the status last changed. */
  updated: string
  /** What chat templates call now, in this run and when it is resumed. ISO 8601, UTC. */
  template_date?: string
  /** Times that the run was taken up again. */
  resumed: number
  pid: number
  exit_code?: number
  /** One line, for `failed`. */
  error?: string
  /** The resolved configuration, with no default left out. */
  config: Record<string, unknown>
  data: DataFile[]
  hub?: HubEntry[]
  /** clha, libtorch, node, addon, ... */
  versions: Record<string, string>
  /** CPU, cores, threads, memory, devices. */
  hardware: Record<string, unknown>
}

export function writeRunManifest(storage: Storage, runDir: string, manifest: RunManifest): void {
  replaceFile(storage, join(runDir, RUN_FILE), [Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)])
}

const object = z.record(z.string(), z.unknown())

/** Other fields may stand beside these. */
const manifestShape = z.looseObject({
  format: z.literal(RUN_FORMAT),
  kind: z.string(),
  status: z.enum(STATUSES),
  started: z.string(),
  updated: z.string(),
  template_date: z.string().optional(),
  resumed: z.int().min(0),
  pid: z.int(),
  exit_code: z.number().optional(),
  error: z.string().optional(),
  config: object,
  data: z.array(z.looseObject({ path: z.string(), sha256: z.string(), rows: z.int().optional() })),
  hub: z
    .array(
      z.looseObject({
        kind: z.enum(['model', 'dataset']),
        name: z.string(),
        revision: z.string().optional(),
        commit: z.string(),
      }),
    )
    .optional(),
  versions: z.record(z.string(), z.string()),
  hardware: object,
})

/** The manifest in a text; undefined where it is not a whole one of a version that we read. */
export function parseRunManifest(text: string): RunManifest | undefined {
  try {
    return manifestShape.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}
