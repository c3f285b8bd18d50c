/** Reads a YAML config and remembers where each key stands, so that errors can point at it. */
import { readFile } from 'node:fs/promises'
import { isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml'
import { usageError } from '../errors.js'

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

/** @throws ClhaError when the file can't be read. */
export async function readSource(file: string): Promise<ConfigSource> {
  let content: string
  try {
    content = await readFile(file, 'utf8')
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code
    const what =
      reason === 'ENOENT' ? 'no such file' : reason === 'EISDIR' ? 'is a folder, not a file' : reason
    throw usageError(`${file}: ${what}`, 'give the path of a YAML config, relative to the working directory')
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
  const readable = issues.length === 0 && isMap(root)
  if (issues.length === 0 && root !== null && !isMap(root) && !(isScalar(root) && root.value === null)) {
    const what = isSeq(root) ? 'a list' : 'a single value'
    issues.push({ where: at(root.range?.[0] ?? 0), text: `expected a mapping of keys, found ${what}` })
  }
  if (readable) issues.push(...duplicates(root, at))
  return {
    file,
    values: readable ? (document.toJS() as Record<string, unknown>) : {},
    issues,
    locate: (path, part) => at(offsetOf(root, path, part)),
  }
}

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
