import { readFileSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { createRandom } from '../../src/random.js'
import { native } from '../../src/tensor/index.js'

const CALLS = 40_000
const SEED = process.env.CLHA_FUZZ_SEED ?? 'native'
const random = createRandom(SEED)
const pick = <T>(values: readonly T[]) => values[random.int(values.length)]
const engine = native()

const list = JSON.parse(readFileSync(new URL('../../native/ops.json', import.meta.url), 'utf8')) as Record<
  string,
  [string, string]
>
const operators = Object.values(list).map(([full]) => {
  const [name, overload = ''] = full.split('.')
  const index = engine.findOperator(name, overload)
  return { name: full, index, args: engine.schemaOf(index).arguments }
})

// Nothing between 1e7 and 1e13: sizes that a machine can serve, slowly.
const INTEGERS = [
  -(2 ** 53) + 1,
  -(2 ** 31),
  -3,
  -2,
  -1,
  0,
  0,
  1,
  1,
  2,
  2,
  3,
  4,
  7,
  100,
  2 ** 46,
  2 ** 53 - 1,
]
const REALS = [
  ...INTEGERS,
  0.5,
  -0.1,
  1e-300,
  1e300,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
]
const JUNK = [
  undefined,
  null,
  'x',
  '',
  true,
  false,
  {},
  [],
  [[]],
  [null],
  () => 1,
  1n,
  Symbol('s'),
  2 ** 60,
  -0,
  [Number.NaN],
  new Uint8Array(3),
]
const SHAPES = [
  [],
  [0],
  [1],
  [2],
  [3],
  [4],
  [2, 3],
  [3, 2],
  [4, 4],
  [0, 3],
  [2, 2, 4],
  [3, 2, 4],
  [3, 1, 4],
  [1, 1, 1, 1],
  [5, 7],
  [2, 7],
  [1, 7],
]
const DTYPES = [0, 3, 4, 4, 5, 6, 6, 6, 7, 11, 15]

let live: number[] = []
let dead: number[] = []
let generators: number[] = []

function tensor(): number {
  const shape = pick(SHAPES)
  const dtype = pick(DTYPES)
  const handle = engine.allocate(shape, dtype)
  const bytes = engine.bytesOf(handle)
  const modest = random.int(3) > 0
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = dtype === 11 ? random.int(2) : modest ? (i % 8 === 0 ? random.int(5) : 0) : random.int(256)
  if (random.int(3) === 0 && [6, 7].includes(dtype)) engine.requiresGrad(handle, true)
  return handle
}

function refill(): void {
  engine.releaseMany(live)
  for (const g of generators) engine.dropGenerator(g)
  dead = [...live.slice(0, 5), 0, -1, 0.5, Number.NaN, 2 ** 24, 2 ** 53]
  live = Array.from({ length: 60 }, tensor)
  generators = [engine.createGenerator(1), engine.createGenerator(2)]
}

const aTensor = () => (random.int(40) === 0 ? pick(dead) : pick(live))
const several = <T>(make: () => T) => Array.from({ length: random.int(5) }, make)

/** Mostly of the declared kind, with values that are often wrong; now and then anything at all. */
function argument(type: string): unknown {
  if (random.int(25) === 0) return pick(JUNK)
  if (type.endsWith('?')) return random.int(3) === 0 ? null : argument(type.slice(0, -1))
  const element = type.match(/^(.*)\[\d*\]$/)
  if (element) return random.int(10) === 0 ? pick(live) : several(() => argument(element[1]))
  switch (type) {
    case 'Tensor':
      return aTensor()
    case 'Generator':
      return random.int(10) === 0 ? pick(dead) : pick(generators)
    case 'int':
    case 'SymInt':
      return random.int(3) === 0 ? pick(INTEGERS) : random.int(4)
    case 'bool':
      return random.int(2) === 1
    case 'str':
      return pick(['left', 'right', 'x', ''])
    case 'Device':
      return pick(['cpu', 'cpu', 'meta', 'cuda', 'cuda:0', 'mps', 'xla', 'hpu', 'nowhere', 'cpu:9'])
    case 'ScalarType':
      return pick([...DTYPES, 1, 2, 8, 9, 12, 13, 20, 44, 45, 46, 99, -1, 127])
    case 'Layout':
      return pick([0, 0, 1, 2, 5, 99, -1])
    case 'MemoryFormat':
      return pick([0, 1, 2, 3, 4, 99, -1])
    default:
      return pick(REALS)
  }
}

function filled(shape: number[], values: number[]): number {
  const handle = engine.allocate(shape, 6)
  const size = shape.reduce((a, b) => a * b, 1)
  engine.writeBytes(
    handle,
    new Uint8Array(Float32Array.from({ length: size }, (_, i) => values[i % values.length]).buffer),
  )
  live.push(handle)
  return handle
}
function whole(shape: number[], values: number[]): number {
  const handle = engine.allocate(shape, 4)
  engine.writeBytes(handle, new Uint8Array(BigInt64Array.from(values, BigInt).buffer))
  live.push(handle)
  return handle
}
/** Bytes of a dtype that is neither f32 nor i64. */
function raw(shape: number[], dtype: number, values: ArrayLike<number>): number {
  const handle = engine.allocate(shape, dtype)
  const bytes = engine.bytesOf(handle).length
  engine.writeBytes(
    handle,
    Uint8Array.from({ length: bytes }, (_, i) => values[i % values.length] & 255),
  )
  live.push(handle)
  return handle
}
const [U8, I8, BOOL, BF16] = [0, 1, 11, 15]
/** 2 as bfloat16, lower byte first. */
const TWO = [0x00, 0x40]
const some = (...shape: number[]) => filled(shape, [0.5, -1, 2, 0.25, 3])

/** Calls that work, for operators that chance alone would not get right. */
const templates: Record<string, () => unknown[]> = {
  'aten::index_add': () => [some(4, 3), 0, whole([2], [3, 1]), some(2, 3), 1],
  'aten::index_copy_': () => [some(4, 3), 0, whole([2], [3, 1]), some(2, 3)],
  'aten::gather': () => [some(3, 4), 1, whole([3, 2], [0, 3, 1, 1, 2, 0])],
  'aten::scatter.src': () => [some(3, 4), 1, whole([3, 2], [0, 3, 1, 1, 2, 0]), some(3, 2)],
  'clha::fused_adamw_': () => {
    const four = [1, 2, 3, 4].map(() => [some(3, 2), some(4)])
    return [
      ...four,
      [],
      [filled([], [1]), filled([], [1])],
      0.1,
      0.9,
      0.999,
      0.01,
      1e-8,
      false,
      false,
      null,
      null,
    ]
  },
  'clha::fused_adamw_composed_': () => {
    const four = [1, 2, 3, 4].map(() => [some(3, 2), some(4)])
    return [...four, [filled([], [1]), filled([], [1])], 0.1, 0.9, 0.999, 0.01, 1e-8]
  },
  'clha::embedding': () => [
    some(4, 3),
    whole(
      [2],
      pick([
        [3, 1],
        [0, 0],
        [4, -1],
      ]),
    ),
  ],
  'clha::write_rows_': () => [
    some(4, 3),
    whole(
      [2],
      pick([
        [3, 1],
        [0, 4],
        [-1, 1],
      ]),
    ),
    some(2, 3),
  ],
  'clha::linear_quantized': quantized,
  'clha::linear_quantized_composed': quantized,
  'clha::linear_log_prob': logProb,
  'clha::linear_log_prob_chunked': logProb,
  'clha::linear_log_prob_composed': () => [
    some(3, 4),
    some(6, 4),
    whole([3], [0, 5, 2]),
    pick([null, some(6)]),
    pick([0, 3]),
  ],
  'clha::rotary': () => [some(3, 2, 4), some(3, 2), some(3, 2)],
  'clha::rotary_composed': () => [some(3, 2, 4), some(3, 2), some(3, 2)],
  'clha::rms_norm': () => [some(3, 4), some(4), 1e-5, pick([0, 1])],
  'clha::rms_norm_composed': () => [some(3, 4), some(4), 1e-5, pick([0, 1])],
  'clha::swiglu': () => [some(3, 4), some(3, 4)],
  'clha::swiglu_composed': () => [some(3, 4), some(3, 4)],
  'clha::geglu': () => [some(3, 4), some(3, 4)],
  'clha::geglu_composed': () => [some(3, 4), some(3, 4)],
  'aten::gelu': () => [some(3, 4), pick(['none', 'tanh'])],
  'aten::layer_norm': () => [some(3, 4), [4], some(4), some(4), 1e-5, true],
  'aten::mm': () => [some(3, 4), some(4, 5)],
  'aten::where.self': () => [raw([3, 4], BOOL, [0, 1, 1]), some(3, 4), some(3, 4)],
  'aten::masked_fill.Scalar': () => [some(3, 4), raw([3, 4], BOOL, [0, 1, 1]), 0.5],
  'aten::index_select': () => [some(4, 3), 0, whole([2], [3, 1])],
  'aten::split_with_sizes': () => [some(4, 3), pick([[1, 3], [4], [2, 2, 0]]), 0],
  'clha::linear': () => [some(3, 4), some(6, 4), pick([null, some(6)])],
  'aten::bmm': () => [some(2, 3, 4), some(2, 4, 5)],
  'aten::baddbmm': () => [some(2, 3, 5), some(2, 3, 4), some(2, 4, 5), 1, 1],
  'aten::permute': () => [some(2, 3, 4), [2, 0, 1]],
  'clha::packed_attention_gathered': () => attention().slice(0, 6),
  'clha::packed_attention': attention,
  'clha::packed_attention_composed': attention,
}

/** Log-probabilities of targets under a head, capped or not. */
function logProb(): unknown[] {
  return [some(3, 4), some(6, 4), whole([3], [0, 5, 2]), pick([0, 1e9]), pick([null, some(6)]), pick([0, 3])]
}

/** Weights of eight bits with a scale a row, or of four (NF4) with one a block of 64. */
function quantized(): unknown[] {
  const bias = pick([null, some(6)])
  if (random.int(2)) return [some(3, 4), raw([6, 4], I8, [1, 255, 127, 129, 0]), some(6), bias]
  return [some(3, 4), raw([6, 2], U8, [0x1f, 0xa7, 0x00, 0xff]), raw([6, 1], BF16, TWO), bias]
}

function attention(): unknown[] {
  const table = [0, 2, 0, 0, 0, 2, 0, 2, 3, 0, 2, 2, 3, 0, 3, 5, 3, 3, 3, 5, 1]
  if (random.int(2)) table[random.int(table.length)] = pick([-1, 0, 1, 2, 3, 4, 5, 6, 100, 2 ** 40])
  return [
    some(5, 2, 4),
    some(5, 1, 4),
    some(5, 1, 4),
    whole([3, 7], table),
    0.5,
    pick([0, 1, 2, 100]),
    pick([0, 2]),
  ]
}

/** A call that works with up to two arguments spoiled, where there is one; else random arguments. */
function argumentsOf(name: string, args: { type: string }[]): unknown[] {
  const template = templates[name]
  if (template && random.int(4) > 0) {
    const given = template()
    for (let n = random.int(3); n > 0; n--) {
      const i = random.int(given.length)
      given[i] = argument(args[i].type)
    }
    return given
  }
  const count = random.int(30) === 0 ? random.int(args.length + 3) : args.length
  return Array.from({ length: count }, (_, i) => argument(args[i]?.type ?? 'Tensor'))
}

/** What a call returned joins the tensors of the next calls, unless it is large. */
function adopt(value: unknown): void {
  for (const handle of Array.isArray(value) ? value : [value]) {
    if (typeof handle !== 'number') continue
    const size = engine.shapeOf(handle).reduce((a, b) => a * b, 1)
    if (size <= 10_000 && live.length < 200) live.push(handle)
    else engine.releaseMany([handle])
  }
}

/** The addon's other entries, with tensors where tensors belong and anything elsewhere. */
const entries: (() => unknown)[] = [
  () => engine.shapeOf(aTensor()),
  () => engine.dtypeOf(aTensor()),
  () => engine.itemOf(aTensor()),
  () => engine.bytesOf(aTensor()).length,
  () => engine.readBytes(aTensor()).length,
  () => engine.writeBytes(aTensor(), pick([new Uint8Array(4), new Uint8Array(0), pick(JUNK) as Uint8Array])),
  () => engine.backward(aTensor(), random.int(2) ? aTensor() : undefined),
  () =>
    adopt(engine.gradients(several(aTensor), several(aTensor), random.int(2) ? several(aTensor) : undefined)),
  () => adopt(engine.gradOf(aTensor())),
  () => engine.setGrad(aTensor(), random.int(3) ? aTensor() : undefined),
  () => engine.requiresGrad(aTensor(), random.int(2) === 1),
  () =>
    adopt(
      engine.allocate(
        pick([pick(SHAPES), several(() => pick(REALS)), pick(JUNK) as number[]]),
        pick([6, 99, -1, Number.NaN]),
      ),
    ),
  () =>
    adopt(engine.generatorState(pick([...generators, pick(dead)]), random.int(2) ? aTensor() : undefined)),
  () => engine.dropGenerator(engine.createGenerator(pick(REALS))),
  () => engine.releaseMany(pick([[pick(dead)], pick(JUNK) as number[]])),
  () => engine.schemaOf(pick([...INTEGERS, 0.5, Number.NaN])),
  () => engine.findOperator(pick(['aten::nothing', '', 'x::', pick(JUNK) as string]), 'x'),
  () => engine.call(pick(INTEGERS.filter((i) => i < 0 || i > 1000)), pick(JUNK) as unknown[]),
  () =>
    engine.setThreads(
      pick([0, -1, Number.NaN, pick(JUNK.filter((x) => typeof x !== 'number' && x !== true)) as number]),
    ),
  () => engine.unlock(pick([-1, 0, 1, 2, 3, 99, Number.NaN])),
  () => engine.deviceOf(pick(JUNK) as number),
]

afterAll(() => {
  engine.releaseMany(live)
})

test(`${CALLS} random calls (seed ${SEED}) end in a result or an exception, and nothing leaks`, () => {
  const before = engine.memory().tensors
  const outcomes = new Map(operators.map(({ name }) => [name, { results: 0, errors: 0 }]))
  for (let call = 0; call < CALLS; call++) {
    if (call % 200 === 0) refill()
    const { name, index, args } = operators[call % operators.length]
    const given = argumentsOf(name, args)
    const outcome = outcomes.get(name)!
    try {
      adopt(engine.call(index, given))
      outcome.results += 1
    } catch (error) {
      expect(error).toBeInstanceOf(Error)
      expect((error as Error).message.length).toBeGreaterThan(0)
      outcome.errors += 1
    }
    if (call % 5 === 0) {
      try {
        pick(entries)()
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
    }
  }
  // the fuzzer reaches the kernels: every operator both worked and failed
  expect([...outcomes].filter(([, { results, errors }]) => results === 0 || errors === 0)).toEqual([])
  engine.releaseMany(live)
  live = []
  expect(engine.memory().tensors).toBe(before)
})
