/** Completion scripts for bash, zsh and fish, made from the commands: everything is in the script, nothing is asked at run time. */
import { namedValues } from '../../config/describe.js'
import { flagName, flagSpec } from '../../config/flags.js'
import { configSchema } from '../../config/schema.js'
import { usageError } from '../../errors.js'
import type { Command } from '../command.js'

const SHELLS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const

/** @throws ClhaError (exit 2) for another shell */
export function completionScript(shell: string, commands: readonly Command[]): string {
  if (!Object.hasOwn(SHELLS, shell))
    throw usageError(`completion ${shell}: no such shell`, `it is one of ${Object.keys(SHELLS).join(', ')}`)
  return SHELLS[shell as keyof typeof SHELLS](commands)
}

interface Flag {
  flag: string
  meaning: string
  /** Whether the next word is its value. */
  takes: boolean
  /** The names that it may have, where there are some. */
  values: readonly string[]
}

function flagsOf({ flags, keys, short = {}, json }: Command): Flag[] {
  const longs = new Map(Object.entries(short).map(([name, key]) => [key, flagName(name)]))
  const properties = configSchema().properties
  return [
    ...flags.map(({ flag, meaning }) => ({
      flag: flag.split(' ')[0],
      meaning,
      takes: flag.includes(' '),
      values: [],
    })),
    ...keys.flatMap((key): Flag[] => {
      const { flag, kind, description: meaning } = flagSpec(key)
      const takes = kind !== 'switch'
      const values = takes ? namedValues(properties[key]).filter((name) => /^[\w.-]+$/.test(name)) : []
      const names = [flag, longs.get(key), takes ? undefined : `--no-${flag.slice(2)}`]
      return names.flatMap((name) => (name === undefined ? [] : [{ flag: name, meaning, takes, values }]))
    }),
    ...(json === undefined ? [] : [{ flag: '--json', meaning: json, takes: false, values: [] }]),
    { flag: '--help', meaning: 'help', takes: false, values: [] },
    { flag: '--help-all', meaning: 'help with every flag', takes: false, values: [] },
  ]
}

/** The first words, and the second words of those that have some. */
function wordsOf(commands: readonly Command[]) {
  const firsts = [...new Set(commands.map(({ path }) => path[0]))]
  const seconds = firsts.flatMap((first) => {
    const names = commands
      .filter(({ path }) => path[0] === first && path.length > 1)
      .map(({ path }) => path[1])
    return names.length === 0 ? [] : [{ first, names }]
  })
  return { firsts, seconds }
}

function bashScript(commands: readonly Command[]): string {
  const { firsts, seconds } = wordsOf(commands)
  const groups = seconds.map(({ first, names }) => `    ${first}) words='${names.join(' ')}' ;;`)
  const cases = commands.map((command) => {
    const flags = flagsOf(command)
    const values = flags
      .filter(({ values: names }) => names.length > 0)
      .map(({ flag, values: names }) => `      ${flag}) words='${names.join(' ')}'; return ;;`)
    const taking = flags.filter(({ takes, values: names }) => takes && names.length === 0).map((f) => f.flag)
    return [
      `  '${command.path.join(' ')}')`,
      '    case "$previous" in',
      ...values,
      ...(taking.length === 0 ? [] : [`      ${taking.join('|')}) return ;;`]),
      '    esac',
      `    words='${flags.map(({ flag }) => flag).join(' ')}' ;;`,
    ].join('\n')
  })
  return `# bash completion of clha: source <(clha completion bash)
_clha_words() {
  case "$command" in
  '') words='${firsts.join(' ')} --help --version' ;;
${cases.join('\n')}
  esac
}
_clha() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local command='' words=''
  if ((COMP_CWORD > 1)); then command="\${COMP_WORDS[1]}"; fi
  case "$command" in
${groups.join('\n')}
  esac
  if [[ -n $words && $COMP_CWORD -gt 2 ]]; then command+=" \${COMP_WORDS[2]}"; words=''; fi
  if [[ -z $words ]]; then _clha_words; fi
  if [[ $words == --* && $current != -* ]]; then words=''; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _clha clha
`
}

function zshScript(commands: readonly Command[]): string {
  return `#compdef clha
# zsh completion of clha: the functions of bash, through zsh's own bridge.
autoload -U +X bashcompinit && bashcompinit
${bashScript(commands)}`
}

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

function fishScript(commands: readonly Command[]): string {
  const { seconds } = wordsOf(commands)
  const groups = new Map(seconds.map(({ first, names }) => [first, names]))
  const lines = commands.flatMap((command) => {
    const [first, second] = command.path
    const names = groups.get(first)?.join(' ')
    const own =
      second === undefined
        ? `__fish_seen_subcommand_from ${first}; and not __fish_seen_subcommand_from ${[...groups.keys()].join(' ')}`
        : `__fish_seen_subcommand_from ${first}; and __fish_seen_subcommand_from ${second}`
    const head =
      second === undefined
        ? `complete -c clha -n __fish_use_subcommand -a ${first} -d ${quoted(command.summary)}`
        : `complete -c clha -n ${quoted(`__fish_seen_subcommand_from ${first}; and not __fish_seen_subcommand_from ${names}`)} -a ${second} -d ${quoted(command.summary)}`
    const flags = flagsOf(command).map(({ flag, meaning, takes, values }) => {
      const value = values.length > 0 ? ` -x -a ${quoted(values.join(' '))}` : takes ? ' -r' : ''
      return `complete -c clha -n ${quoted(own)} -l ${flag.slice(2)}${value} -d ${quoted(meaning)}`
    })
    return [head, ...flags]
  })
  const firsts = seconds.map(({ first }) => `complete -c clha -n __fish_use_subcommand -a ${first}`)
  return `# fish completion of clha: clha completion fish > ~/.config/fish/completions/clha.fish
${[...firsts, ...lines].join('\n')}
`
}
