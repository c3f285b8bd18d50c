/** Patterns of file names: `*` and `?` within a folder, `**` over folders, `{a,b}` one of several. */

/** Whether a pattern has signs of its own; else it is a name. */
const isPattern = (text: string): boolean => /[*?{[]/.test(text)

/** The names that a pattern, a file's name or a folder's name means. */
export function matching(names: readonly string[], pattern: string): string[] {
  const bare = pattern.replace(/^\.?\//, '').replace(/\/$/, '')
  if (!isPattern(bare)) return names.filter((name) => name === bare || name.startsWith(`${bare}/`))
  const expression = expressionOf(bare)
  return names.filter((name) => expression.test(name))
}

function expressionOf(pattern: string): RegExp {
  let depth = 0
  const source = pattern.replace(/\*\*\/|\*\*|[*?{},[\]]|[^*?{},[\]]+/g, (piece) => {
    if (piece === '**/') return '(?:.*/)?'
    if (piece === '**') return '.*'
    if (piece === '*') return '[^/]*'
    if (piece === '?') return '[^/]'
    if (piece === '{') depth += 1
    if (piece === '{') return '(?:'
    if (piece === ',') return depth > 0 ? '|' : ','
    if (piece === '}') {
      depth -= 1
      return ')'
    }
    if (piece === '[' || piece === ']') return piece
    return piece.replace(/[.+^$()|\\]/g, '\\$&')
  })
  try {
    return new RegExp(`^${source}$`)
  } catch {
    return /^(?!)/
  }
}
