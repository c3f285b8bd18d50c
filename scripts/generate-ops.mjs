// Writes src/tensor/ops.generated.ts from native/ops.json and the schemas that libtorch's dispatcher holds.
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))

const scalarTypes = {
  Tensor: 'Tensor',
  int: 'number',
  SymInt: 'number',
  float: 'number',
  Scalar: 'number | boolean',
  number: 'number | boolean',
  bool: 'boolean',
  str: 'string',
  Device: 'string',
  Generator: 'Generator',
  ScalarType: 'DType',
  Layout: 'number',
  MemoryFormat: 'number',
}

function tsType(type) {
  if (type.endsWith('?')) return `${tsType(type.slice(0, -1))} | null`
  const list = type.match(/^(.*)\[\d*\]$/)
  if (list) return `readonly ${/\|/.test(tsType(list[1])) ? `(${tsType(list[1])})` : tsType(list[1])}[]`
  if (!(type in scalarTypes)) throw new Error(`no TypeScript type for ${type}`)
  return scalarTypes[type]
}

const camel = (name) => name.replace(/_+([a-z0-9])/g, (_, c) => c.toUpperCase()).replace(/^_+|_+$/g, '')
const reserved = { input: 'input', self: 'self', default: 'value', var: 'variance' }

/** Operators that make tensors from nothing do so on the current device; those that draw, where their generator is. */
const makes = (args) => !args.some(({ type }) => /Tensor|Generator/.test(type))

function passed({ name, type }, _, args) {
  const own = reserved[camel(name)] ?? camel(name)
  if (/^Device\??$/.test(type) && makes(args)) return `placed(${own})`
  if (/^ScalarType\??$/.test(type)) return `${own} && DTYPES[${own}].code`
  return own
}

function returned(returns, name) {
  const types = returns.map((r) => r.type)
  if (types.length === 0) return ['void', (call) => call]
  if (types.length === 1 && types[0] === 'Tensor')
    return ['Tensor', (call) => `return asTensor(${call}, '${name}')`]
  if (types.every((t) => t === 'Tensor')) {
    const tuple = `[${types.map(() => 'Tensor').join(', ')}]`
    return [tuple, (call) => `return asTensors(${call}, '${name}') as ${tuple}`]
  }
  if (types.length === 1 && types[0] === 'Tensor[]')
    return ['Tensor[]', (call) => `return asTensors(${call}, '${name}')`]
  throw new Error(`${name} returns ${types}`)
}

/** The text of ops.generated.ts. */
export function generateOps() {
  const native = createRequire(import.meta.url)(at('build/clha.node'))
  const list = JSON.parse(readFileSync(at('native/ops.json'), 'utf8'))
  const out = [
    '// Written by scripts/generate-ops.mjs from native/ops.json: do not edit.',
    "import { asTensor, asTensors, operator } from './call.js'",
    "import { placed } from './device.js'",
    "import { type DType, DTYPES } from './dtype.js'",
    "import type { Generator } from './generator.js'",
    "import type { Tensor } from './tensor.js'",
    '',
  ]
  for (const [name, [full, prose]] of Object.entries(list)) {
    const [op, overload = ''] = full.split('.')
    const { text, arguments: args, returns } = native.schemaOf(native.findOperator(op, overload))
    const lastRequired = args.findLastIndex((a) => !a.optional)
    const params = args.map((a, i) => {
      const own = reserved[camel(a.name)] ?? camel(a.name)
      const type = tsType(a.type)
      return a.optional && i > lastRequired
        ? `${own}?: ${type}`
        : `${own}: ${a.optional ? `${type} | undefined` : type}`
    })
    const [type, body] = returned(returns, name)
    const call = `${name}Operator([${args.map(passed).join(', ')}])`
    out.push(
      `const ${name}Operator = operator('${op}', '${overload}')`,
      `/** ${prose} \`${text}\` */`,
      `export function ${name}(${params.join(', ')}): ${type} {`,
      `  ${body(call)}`,
      '}',
      '',
    )
  }
  return out.join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(at('src/tensor/ops.generated.ts'), generateOps())
}
