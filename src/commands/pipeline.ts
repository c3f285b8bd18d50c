/** Commands that run on a config: their sections become flags. What resolves a config is loaded when a command runs. */
import type { ResolvedConfig } from '../config/load-config.js'
import type { ConfigKey } from '../config/schema.js'
import { SECTION_KEYS, SECTION_TITLES } from '../config/sections.js'
import { camelCase } from '../key-names.js'
import type { Ui } from '../terminal/ui.js'
import { type Command, JSON_LINES, type KeyGroup } from './command.js'
import type { AnySpec, Need, NeededOf, PipelineSpec } from './pipeline-spec.js'

export interface PipelineCommand<
  Needs extends readonly Need[] = readonly Need[],
  Result extends object = object,
> extends Command,
    Omit<PipelineSpec<Needs, Result>, 'flags' | 'path' | 'summary' | 'examples' | 'first' | 'short'> {
  /**
   * Runs it on settings; keys that it does not read are refused.
   * @param own values of its own flags, and its `names`
   */
  call(
    settings: Record<string, unknown>,
    file: string | undefined,
    ui: Ui,
    own?: Record<string, unknown>,
  ): Promise<Result>
}

const CONFIG = ['[config]', 'YAML config; flags win over it'] as const
const CONFIG_OR_DATA = ['[config-or-data]', 'YAML config, or a data file (then train_dataset)'] as const

const body = () => import('./resolve-call.js')

/** A command that resolves its config and hands it to a pipeline, which is loaded only then. */
export function pipeline<const Needs extends readonly Need[], Result extends object>(
  spec: PipelineSpec<Needs, Result>,
): PipelineCommand<Needs, Result> {
  const { flags = [], takesData, names } = spec
  const groups = groupsOf(spec)
  const keys = groups.flatMap((group) => group.keys)
  const own = new Set(flags.map(({ flag }) => camelCase(flag.replace(/^--| .*/g, '').replaceAll('-', '_'))))
  const ready = async (config: ResolvedConfig, ui: Ui, ownFlags: Record<string, unknown> = {}) => {
    const { checkNeeds, sayMistaken } = await body()
    checkNeeds(spec, config)
    sayMistaken(spec, config, ui)
    if (spec.greeting !== undefined) ui.line(spec.greeting)
    return { config: config as ResolvedConfig<NeededOf<Needs>>, work: await spec.load(ownFlags) }
  }
  return {
    ...spec,
    arguments: [names ?? (takesData ? CONFIG_OR_DATA : CONFIG)],
    flags,
    keys,
    groups,
    json: JSON_LINES,
    async run({ args, flags: given, ui, input }) {
      const isOwn = ([name]: [string, unknown]) => own.has(name)
      const ofConfig = Object.fromEntries(Object.entries(given).filter((entry) => !isOwn(entry)))
      const resolved = await (await body()).configOf(spec, names ? undefined : args[0], ofConfig)
      const ownFlags = Object.fromEntries(Object.entries(given).filter(isOwn))
      const { config, work } = await ready(resolved, ui, names ? { ...ownFlags, names: args } : ownFlags)
      return { result: await work(config, ui, input) }
    },
    async call(settings, file, ui, own) {
      const resolved = await (await body()).configOfSettings(spec, keys, settings, file)
      const { config, work } = await ready(resolved, ui, own)
      return work(config, ui, noInput())
    },
  }
}

async function* noInput(): AsyncGenerator<string> {}

function groupsOf({ sections, without = [], short = {} }: AnySpec): KeyGroup[] {
  const groups = sections.map((section) => ({
    heading: SECTION_TITLES[section],
    keys: (SECTION_KEYS[section] as readonly ConfigKey[]).filter(
      (key) => !without.includes(key) && short[key] === undefined,
    ),
  }))
  return groups.filter(({ keys }) => keys.length > 0)
}
