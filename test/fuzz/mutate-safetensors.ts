/** Structure-aware mutations of a safetensors file: some keep it valid, most break exactly one rule. */
import type { Random } from '../../src/random.js'

const DTYPES = ['F64', 'F32', 'F16', 'BF16', 'I64', 'U8', 'BOOL', 'F8_E4M3', 'F4', 'C64']
const SEED_HEADER: Record<string, unknown> = {
  __metadata__: { format: 'pt' },
  'model.embed': { dtype: 'F32', shape: [4, 3], data_offsets: [0, 48] },
  'model.norm': { dtype: 'BF16', shape: [3], data_offsets: [48, 54] },
  scalar: { dtype: 'I64', shape: [], data_offsets: [54, 62] },
  empty: { dtype: 'F32', shape: [0, 5], data_offsets: [62, 62] },
  mask: { dtype: 'BOOL', shape: [2, 1], data_offsets: [62, 64] },
}
const SEED_JSON = JSON.stringify(SEED_HEADER)
const DATA = Buffer.alloc(64, 7)

function assemble(header: Buffer, data: Buffer, length = BigInt(header.length)): Buffer {
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(length)
  return Buffer.concat([size, header, data])
}

export const SEED_FILE = assemble(Buffer.from(SEED_JSON), DATA)

/** Values that sit at the edges of what a reader must take. */
const NUMBERS = [
  '0',
  '1',
  '4',
  '8',
  '48',
  '54',
  '62',
  '64',
  '-1',
  '-0',
  '1.0',
  '1e2',
  '4294967296',
  '01',
  'NaN',
]
const HUGE = ['9007199254740991', '9007199254740993', '9223372036854775808', '18446744073709551615', '1e999']
const VALUES = [
  ...NUMBERS,
  ...HUGE,
  'null',
  'true',
  '""',
  '"F32"',
  '{}',
  '[]',
  '[0,4]',
  '{"a":1}',
  '"\\ud800"',
]

/** Replaces one number, dtype or whole value of the header's text. */
function replaceToken(random: Random): string {
  const pattern = random.pick([/\d+/g, /\d+/g, /"[A-Z]+\d*"/g, /\[[\d,]*\]/g, /\{[^{}]*\}/g, /"[a-z_.]+"/g])
  const matches = [...SEED_JSON.matchAll(pattern)]
  const match = random.pick(matches)
  const pool =
    pattern.source.startsWith('"[A-Z]') && random.next() < 0.7 ? DTYPES.map((d) => `"${d}"`) : VALUES
  return SEED_JSON.slice(0, match.index) + random.pick(pool) + SEED_JSON.slice(match.index + match[0].length)
}

function renameKey(random: Random): string {
  const names = ['model.embed', 'model.norm', 'scalar', '__metadata__', '__proto__', 'é', '', 'dtype']
  return SEED_JSON.replace(`"${random.pick(names.slice(0, 4))}"`, `"${random.pick(names)}"`)
}

/** Multiplies a dimension into the range where products overflow. */
function overflow(random: Random): string {
  const shape = Array.from({ length: 1 + random.int(4) }, () =>
    random.pick(['0', '4294967296', '2147483648', '65536']),
  )
  return SEED_JSON.replace(random.pick(['[4,3]', '[3]', '[]', '[0,5]', '[2,1]']), `[${shape.join(',')}]`)
}

function flipBytes(random: Random, bytes: Buffer, limit: number): Buffer {
  const out = Buffer.from(bytes)
  for (let i = 1 + random.int(3); i > 0; i--) out[random.int(Math.min(limit, out.length))] = random.int(256)
  return out
}

function cutOrJoin(random: Random): Buffer {
  const cut = random.int(SEED_FILE.length + 1)
  const other = random.int(SEED_FILE.length + 1)
  return Buffer.concat([
    SEED_FILE.subarray(0, cut),
    random.next() < 0.5 ? Buffer.alloc(0) : SEED_FILE.subarray(other),
  ])
}

function wrongLength(random: Random): Buffer {
  const near = BigInt(SEED_JSON.length + random.int(9) - 4)
  const length = random.pick([near, near, 0n, 1n, 100_000_000n, 100_000_001n, 2n ** 63n, 2n ** 64n - 1n])
  return assemble(Buffer.from(SEED_JSON), DATA, length)
}

/** One mutated file. */
export function mutate(random: Random): Buffer {
  const choice = random.int(9)
  if (choice < 3) return assemble(Buffer.from(replaceToken(random)), DATA)
  if (choice === 3) return assemble(Buffer.from(renameKey(random)), DATA)
  if (choice === 4) return assemble(Buffer.from(overflow(random)), DATA)
  if (choice === 5) return flipBytes(random, SEED_FILE, SEED_FILE.length - DATA.length)
  if (choice === 6) return cutOrJoin(random)
  if (choice === 7) return wrongLength(random)
  const header = SEED_JSON + random.pick(['', ' ', '\n', '\t  ', '\0', '{}', '\ufeff'])
  return assemble(Buffer.from(header), DATA.subarray(0, DATA.length - random.int(2)))
}
