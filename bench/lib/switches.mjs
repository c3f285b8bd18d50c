// Techniques switched off one at a time, without a second path in the product: operators are looked up by name at their
// first call, so a contender puts another operator under the name before the product asks for it.
import { product } from './product.mjs'

/** Fused operator -> the same from plain operators. */
const COMPOSED = {
  norm: [['clha::rms_norm', 'clha::rms_norm_composed']],
  rotary: [['clha::rotary', 'clha::rotary_composed']],
  gated: [
    ['clha::swiglu', 'clha::swiglu_composed'],
    ['clha::geglu', 'clha::geglu_composed'],
  ],
  attention: [['clha::packed_attention', 'clha::packed_attention_composed']],
  linear: [['clha::linear', 'aten::linear']],
}

/** @param off names of COMPOSED, `chunked` (log-probabilities), `adamw` */
export async function switchOff(off) {
  if (off.length === 0) return
  const { native } = await product('tensor/native')
  const addon = native()
  const renamed = new Map(off.flatMap((name) => COMPOSED[name] ?? []))
  const find = addon.findOperator
  const call = addon.call
  const replaced = new Map()
  addon.findOperator = (name, overload) => {
    const index = find(renamed.get(name) ?? name, overload)
    if (name === 'clha::linear_log_prob' && off.includes('chunked')) {
      const whole = find('clha::linear_log_prob_composed', '')
      // The fourth argument says how much a chunk may keep: there are no chunks.
      replaced.set(index, (args) => call(whole, [...args.slice(0, 3), ...args.slice(4)]))
    }
    if (name === 'clha::fused_adamw_' && off.includes('adamw'))
      replaced.set(index, plainAdamW(addon, find, call))
    return index
  }
  if (replacesCalls(off)) {
    addon.call = (index, args) => {
      const other = replaced.get(index)
      return other ? other(args) : call(index, args)
    }
  }
}

const replacesCalls = (off) => off.includes('chunked') || off.includes('adamw')

/** AdamW parameter by parameter from plain operators, on handles. */
function plainAdamW(addon, find, call) {
  const names = {
    scale: ['aten::mul_', 'Scalar'],
    lerp: ['aten::lerp_', 'Scalar'],
    addcmul: ['aten::addcmul_', ''],
    sqrt: ['aten::sqrt', ''],
    divide: ['aten::div_', 'Scalar'],
    add: ['aten::add_', 'Scalar'],
    addcdiv: ['aten::addcdiv_', ''],
  }
  const ops = Object.fromEntries(
    Object.entries(names).map(([key, [name, overload]]) => [key, find(name, overload)]),
  )
  return ([parameters, grads, means, squares, , counts, rate, beta1, beta2, decay, epsilon]) => {
    const made = []
    const run = (op, ...args) => {
      const handle = call(ops[op], args)
      made.push(handle)
      return handle
    }
    parameters.forEach((parameter, i) => {
      const step = addon.itemOf(counts[i])
      run('scale', parameter, 1 - rate * decay)
      run('lerp', means[i], grads[i], 1 - beta1)
      run('scale', squares[i], beta2)
      run('addcmul', squares[i], grads[i], grads[i], 1 - beta2)
      const root = run('sqrt', squares[i])
      run('divide', root, Math.sqrt(1 - beta2 ** step))
      run('add', root, epsilon)
      run('addcdiv', parameter, means[i], root, -rate / (1 - beta1 ** step))
    })
    addon.releaseMany(made)
  }
}
