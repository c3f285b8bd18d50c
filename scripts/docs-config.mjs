// Writes docs/configuration.md from the schema of the config. Run it after a change of a key: `node scripts/docs-config.mjs`.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './setup/paths.mjs'

const INTRO = `# Configuration

<!-- Written by scripts/docs-config.mjs from the schema of the config: do not edit. -->

A config is a flat YAML mapping. Every key is also a flag: \`learning_rate\` is \`--learning-rate\`. Flags win over the file: a key of
the file that has an effect only without them (\`num_train_epochs\` under \`--max-steps\`) counts as not set.
Paths are relative to the working directory. A switch is turned on by \`--skip-bad\`. A switch that is on is turned off by
\`--no-load-best-model-at-end\`. A list is a repeated flag. A mapping is YAML: \`--model-config '{hidden_size: 64, …}'\`.

- \`./clha config show my.yaml\` prints every key with its value, its meaning and who set it (set, flag, mode, default, derived).
- \`./clha config schema\` prints the JSON Schema, for editors.
- An unknown key, a value of the wrong kind and a key that has no effect are errors (exit code 2) with file, line and column.
- A key without a value (\`gate_level:\`) means "not set", where a key may be unset.

A command reads the sections that name it. A key that has no effect in a command is no flag of it: the flag is refused. In a
file it may stand, since one file serves several commands. Where it depends on the training (a rescored \`train_dataset\` brings its
order and weights, and \`label_source: human\` asks for no rewards), \`train\` and \`plan\` refuse the flag and name the key of the file.
`

const cell = (text) => String(text).replaceAll('|', '\\|').replaceAll('<', '\\<')
const code = (value) => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
const row = (cells) => `| ${cells.join(' | ')} |`
const table = (head, rows) => [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')

/** `optional` keys have no default in the schema: unset, or derived from other keys. */
const keyRow = (name, schema, expectation) => [
  code(name),
  schema.default === undefined ? '' : code(schema.default),
  cell(expectation(schema)),
  cell(schema.description ?? ''),
]

const HEAD = ['key', 'default', 'value', 'meaning']

/**
 * @param parts `SECTIONS`, `SECTION_TITLES`, `configSchema` (config/schema), `expectation` (config/describe),
 *   `LEGACY_DEFAULTS` (config/defaults), `COMMANDS` (commands), `METHODS` (methods/registry)
 * @returns the text of docs/configuration.md
 */
export function configPage({
  SECTIONS,
  SECTION_TITLES,
  configSchema,
  expectation,
  LEGACY_DEFAULTS,
  COMMANDS,
  METHODS,
}) {
  const { properties } = configSchema()
  const out = [INTRO]
  for (const [section, keys] of Object.entries(SECTIONS)) {
    const names = Object.keys(keys)
    const commands = COMMANDS.filter(
      ({ path, keys }) => !['config', 'data'].includes(path[0]) && names.some((name) => keys.includes(name)),
    )
    out.push(`## ${SECTION_TITLES[section]}\n`)
    out.push(`Read by:\n\n${commands.map((command) => readBy(command, names)).join('\n')}\n`)
    out.push(
      `${table(
        HEAD,
        names.map((name) => keyRow(name, properties[name], expectation)),
      )}\n`,
    )
    if ('method' in keys) out.push(methodTable(METHODS))
    if ('model_config' in keys) out.push(scratchTable(properties.model_config, expectation))
  }
  out.push('## Defaults of `mode: legacy`\n')
  out.push('They stand in for the defaults above; what a config or a flag sets wins over them.\n')
  const legacy = Object.entries(LEGACY_DEFAULTS).map(([key, value]) => [code(key), code(value)])
  out.push(`${table(['key', 'default in legacy mode'], legacy)}\n`)
  out.push('With `method: sft` the default of `learning_rate` is `0.00002`.')
  return `${out.join('\n')}\n`
}

/** A command, and the keys of a section that have no effect in it: all but few, or few but all. */
function readBy({ path, keys }, names) {
  const [used, idle] = [true, false].map((is) => names.filter((name) => keys.includes(name) === is))
  const list = (some) => some.map(code).join(', ')
  const rest =
    idle.length === 0 ? '' : idle.length < used.length ? `, but not ${list(idle)}` : `: only ${list(used)}`
  return `- ${code(path.join(' '))}${rest}`
}

/** A row a method, and one for each of its losses that has settings or defaults of its own. */
function methodTable(methods) {
  const list = (names = []) => names.map(code).join(', ')
  const line = (name, title, { keys, defaults = {} }) => {
    const set = Object.entries(defaults).map(([key, value]) => `${key}: ${value}`)
    return [name, title, list(keys), list(set)]
  }
  const rows = Object.entries(methods).flatMap(([name, method]) => [
    line(code(name), method.title, method),
    ...Object.entries(method.losses ?? {})
      .filter(([, { keys, defaults }]) => keys || defaults)
      .map(([loss, variant]) => line(`${code(name)}, ${code(loss)}`, '', variant)),
  ])
  const head = ['method, `loss_type`', 'what it is', 'settings that act', 'defaults of its own']
  const intro =
    '[The methods](methods.md); a `loss_type` adds to its method. Other settings of this section are errors under them.'
  return `${intro}\n\n${table(head, rows)}\n`
}

function scratchTable(schema, expectation) {
  const mapping = schema.anyOf.find(({ properties }) => properties)
  const rows = Object.entries(mapping.properties).map(([name, part]) => keyRow(name, part, expectation))
  return `Keys of the mapping \`model_config\` (and of \`reward_model_config\`):\n\n${table(HEAD, rows)}\n`
}

/** @returns the text of src/config/section-keys.generated.ts: the keys, for what must not wait for the schema */
export function sectionKeys({ SECTIONS }) {
  const lines = Object.entries(SECTIONS).flatMap(([section, keys]) => [
    `  ${section}: [`,
    ...Object.keys(keys).map((key) => `    '${key}',`),
    '  ],',
  ])
  const head =
    '/** The keys of each section, as the schema has them. Made by scripts/docs-config.mjs; do not edit. */'
  return `${head}\nexport const SECTION_KEYS = {\n${lines.join('\n')}\n} as const\n`
}

if (process.argv[1]?.endsWith('docs-config.mjs')) {
  const names = [
    'config/schema',
    'config/sections',
    'config/describe',
    'config/defaults',
    'commands/index',
    'methods/registry',
  ]
  const { SECTIONS } = await import('../dist/config/schema.js')
  writeFileSync(join(root, 'src/config/section-keys.generated.ts'), sectionKeys({ SECTIONS }))
  const rooms = await Promise.all(names.map((name) => import(`../dist/${name}.js`)))
  writeFileSync(join(root, 'docs/configuration.md'), configPage(Object.assign({}, ...rooms)))
}
