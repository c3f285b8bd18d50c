// The functions of TypeScript files, with their lines and parameters, as TypeScript's parser sees them.
import { readFileSync } from 'node:fs'
import ts from 'typescript'

/**
 * @param {string} path
 * @returns {{ name: string, line: number, lines: number, parameters: number }[]} every function with a body, nested ones too
 */
export function functionsOf(path) {
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true)
  const lineOf = (position) => source.getLineAndCharacterOfPosition(position).line + 1
  const found = []
  const visit = (node) => {
    if (ts.isFunctionLike(node) && node.body) {
      const line = lineOf(node.getStart(source))
      found.push({
        name: nameOf(node),
        line,
        lines: lineOf(node.end) - line + 1,
        parameters: node.parameters.length,
      })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** Its own name, or that of the constant, key or method that holds it. */
function nameOf(node) {
  const named = node.name ?? node.parent?.name
  return named?.getText() ?? (ts.isConstructorDeclaration(node) ? 'constructor' : '(unnamed)')
}
