/** A whole run.json, as runs write it. */
import { RUN_FORMAT, type RunManifest } from '../../src/runs/run-manifest.js'

export const runManifest = (over: Partial<RunManifest> = {}): RunManifest => ({
  format: RUN_FORMAT,
  kind: 'clha',
  status: 'done',
  started: '2026-11-30T01:35:34.596Z',
  updated: '2026-11-30T01:36:05.552Z',
  resumed: 0,
  pid: 1,
  config: {},
  data: [],
  versions: { clha: '0.1.0' },
  hardware: {},
  ...over,
})
