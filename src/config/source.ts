/** Reads a YAML config and remembers where each key stands, so that errors can point at it. */
import { readFile, stat } from 'node:fs/promises'
import {
  type Document,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml'
import { ClhaError, usageError } from '../errors.js'

/** One thing that is wrong, and where. */
export interface ConfigIssue {
  /** `my.yaml:7:1`, or `--learning-rate`. */
  where: string
  text: string
}

export interface ConfigSource {
  file: string
  values: Record<string, unknown>
  /** What is wrong with the YAML itself: its syntax, keys that appear twice. */
  issues: ConfigIssue[]
  /** `file:line:column` of the key or the value that a path leads to. */
  locate(path: readonly PropertyKey[], part: 'key' | 'value'): string
}

const ADVICE = 'give the path of a YAML config, relative to the working directory'
const LARGEST = 2 ** 24

/** @throws ClhaError when the file can't be read. */
export async function readSource(file: string): Promise<ConfigSource> {
  let content: string
  try {
    // A pipe may never end, and a device never does.
    const { size, ...found } = await stat(file).then((at) => ({
      size: at.size,
      file: at.isFile() || at.isDirectory(),
    }))
    if (!found.file) throw usageError(`${file}: a pipe or a device, not a file`, ADVICE)
    if (size > LARGEST) throw usageError(`${file}: ${size} bytes are too many for a config`, ADVICE)
    content = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file))
  } catch (error) {
    if (error instanceof ClhaError) throw error
    if (error instanceof TypeError) throw usageError(`${file}: not UTF-8`, 'save it as UTF-8')
    const reason = (error as NodeJS.ErrnoException).code
    const what =
      reason === 'ENOENT' ? 'no such file' : reason === 'EISDIR' ? 'is a folder, not a file' : reason
    throw usageError(`${file}: ${what}`, ADVICE)
  }
  return parseSource(file, content)
}

/** As `readSource`, from text. */
export function parseSource(file: string, content: string): ConfigSource {
  const lines = new LineCounter()
  const document = parseDocument(content, { lineCounter: lines, uniqueKeys: false, prettyErrors: false })
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const root = document.contents as Node | null
  const issues: ConfigIssue[] = document.errors.map((error) => ({
    where: at(error.pos[0]),
    text: error.message,
  }))
  if (issues.length === 0) issues.push(...aliases(document, at))
  const readable = issues.length === 0 && isMap(root)
  if (issues.length === 0 && root !== null && !isMap(root) && !(isScalar(root) && root.value === null)) {
    const what = isSeq(root) ? 'a list' : 'a single value'
    issues.push({ where: at(root.range?.[0] ?? 0), text: `expected a mapping of keys, found ${what}` })
  }
  if (readable) issues.push(...duplicates(root, at))
  let values: Record<string, unknown> = {}
  try {
    if (readable) values = document.toJS() as Record<string, unknown>
  } catch (error) {
    // Aliases of aliases, whose number multiplies.
    issues.push({ where: at(0), text: (error as Error).message })
  }
  return {
    file,
    values,
    issues,
    locate: (path, part) => at(offsetOf(root, path, part)),
  }
}

/** A value that starts with * is an alias to YAML; one without its anchor can't be resolved. */
function aliases(document: Document.Parsed, at: (offset: number) => string): ConfigIssue[] {
  const issues: ConfigIssue[] = []
  let count = 0
  visit(document, {
    Alias(_, alias) {
      count++
      if (issues.length > 0 || (alias.resolve(document) && count <= MOST_ALIASES)) return
      const where = at(alias.range?.[0] ?? 0)
      const text = `*${alias.source} is an alias (YAML) of an anchor that is not there; put text that begins with * in quotes`
      issues.push({ where, text: count > MOST_ALIASES ? `more than ${MOST_ALIASES} aliases` : text })
    },
  })
  return issues
}

const MOST_ALIASES = 100

function duplicates(map: YAMLMap, at: (offset: number) => string): ConfigIssue[] {
  const issues: ConfigIssue[] = []
  const first = new Map<string, string>()
  for (const pair of map.items) {
    const name = keyName(pair.key)
    const where = at((pair.key as Node)?.range?.[0] ?? 0)
    const earlier = first.get(name)
    if (earlier === undefined) first.set(name, where)
    else
      issues.push({
        where,
        text: `"${name}" is set twice; the first time in line ${earlier.split(':').at(-2)}`,
      })
    if (isMap(pair.value)) issues.push(...duplicates(pair.value, at))
  }
  return issues
}

const keyName = (key: unknown): string => (isScalar(key) ? String(key.value) : String(key))

/** Offset of the deepest node on the path; a value that is missing falls back on its key. */
function offsetOf(root: Node | null, path: readonly PropertyKey[], part: 'key' | 'value'): number {
  let node: unknown = root
  let key: unknown = root
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.findLast((item) => isPair(item) && keyName(item.key) === String(step))
      if (!pair) break
      key = pair.key
      node = pair.value ?? pair.key
    } else if (isSeq(node) && node.items[Number(step)] !== undefined) {
      node = node.items[Number(step)]
      key = node
    } else break
  }
  return ((part === 'key' ? key : node) as Node | null)?.range?.[0] ?? 0
}
