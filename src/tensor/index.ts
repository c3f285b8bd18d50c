/** The tensor room: handles, operators, scopes, gradients. */
export * from './autograd.js'
export {
  chooseDevice,
  currentDevice,
  deviceLabel,
  halvesAreFast,
  useDevice,
  waitForOperators,
} from './device.js'
export type { Data, DType } from './dtype.js'
export { DTYPES, dtypeOfSafetensors } from './dtype.js'
export { Generator } from './generator.js'
export type { EngineInfo } from './native.js'
export { native } from './native.js'
export * as ops from './ops.generated.js'
export { dispose, keep, type MemoryCounters, memory, scope } from './scope.js'
export { allocate, f32, f64, fromData, i64, mapFile, onDevice, Tensor } from './tensor.js'
