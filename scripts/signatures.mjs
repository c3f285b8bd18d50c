// Which functions of TypeScript files take a type whole: Session says nothing of what its taker reads.
import { readFileSync } from 'node:fs'
import ts from 'typescript'

/**
 * @param {string} path
 * @param {string} type a name such as `Session`; an alias of it in the file counts, parts such as `Pick<Session, 'ui'>` and `Session['ui']` don't
 * @returns {{ name: string, line: number }[]} functions and function types, as many as have such a parameter
 */
export function signaturesWith(path, type, text = readFileSync(path, 'utf8')) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const names = new Set([type])
  for (const node of source.statements)
    if (ts.isTypeAliasDeclaration(node) && isNamed(node.type, names)) names.add(node.name.text)
  const found = []
  const visit = (node) => {
    if (ts.isFunctionLike(node) && node.parameters.some((p) => p.type && holds(p.type, names))) {
      const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1
      found.push({ name: (node.name ?? node.parent?.name)?.getText(source) ?? '(unnamed)', line })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

const isNamed = (node, names) => ts.isTypeReferenceNode(node) && names.has(node.typeName.getText())

/** Whether a type is one of `names`, or joins, lists or wraps it whole. */
function holds(node, names) {
  if (isNamed(node, names)) return true
  if (ts.isTypeReferenceNode(node) && ['Pick', 'Omit'].includes(node.typeName.getText())) return false
  if (ts.isIndexedAccessTypeNode(node) || ts.isFunctionLike(node)) return false
  return ts.forEachChild(node, (child) => holds(child, names)) ?? false
}
